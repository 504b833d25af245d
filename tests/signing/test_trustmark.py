# SPDX-License-Identifier: Apache-2.0
"""What a picture says by TrustMark: a number, and that one of our keys vouches for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import bch, trustmark
from assay.signing.picturemark import PAYLOAD_BITS

from .marking import key

NUMBER = 987_654_321
NUMBERS = st.integers(0, 2**PAYLOAD_BITS - 1)


def test_a_number_goes_there_and_back() -> None:
    payload = trustmark.payload(key(), NUMBER)
    assert payload.bit_length() <= trustmark.PAYLOAD_BITS
    assert trustmark.recognised(payload, [key(1), key()]) == (key(), NUMBER)
    assert trustmark.recognised(payload, [key(1)]) is None
    assert trustmark.recognised(payload ^ 1, [key()]) is None


def test_the_chance_is_that_of_as_many_keys() -> None:
    assert trustmark.chance(1) == pytest.approx(1 / 2**31)
    assert trustmark.chance(8) == 8 * trustmark.chance(1)


# What the data layer of TrustMark's package (0.9.2, schema BCH_5) writes for this payload; tests in
# clients/ compare many.
PACKET = (
    "0001001000110100010101100111100010011010101111001101111011110"
    "01000111011011000010110111111100000"
    "0001"
)


def test_the_bits_are_those_of_trustmarks_own_programs() -> None:
    payload = int(PACKET[: trustmark.PAYLOAD_BITS], 2)
    assert "".join(map(str, trustmark.packet(payload))) == PACKET
    assert trustmark.unpacked([int(bit) for bit in PACKET]) == payload


@given(NUMBERS, st.sets(st.integers(0, 95), max_size=5))
def test_five_wrong_bits_are_read_over(number: int, places: set[int]) -> None:
    payload = trustmark.payload(key(), number)
    bits = list(trustmark.packet(payload))
    for place in places:
        bits[place] ^= 1
    assert trustmark.unpacked(bits) == payload


def test_another_schema_is_not_read() -> None:
    bits = list(trustmark.packet(trustmark.payload(key(), NUMBER)))
    assert trustmark.unpacked([*bits[:-2], 1, 1]) is None
    assert trustmark.unpacked([1 - bit for bit in bits]) is None


def test_what_is_wrong_beyond_the_payload_is_nothing() -> None:
    """The nearest codeword has a bit where nobody writes one: it is none of TrustMark's."""
    checks = bch.checks(NUMBER << 3 | 1)
    bits = f"{NUMBER:061b}{checks:035b}0001"
    assert trustmark.unpacked([int(bit) for bit in bits]) is None


def test_a_value_in_a_manifest_is_as_trustmarks_makers_write_it() -> None:
    payload = trustmark.payload(key(), NUMBER)
    value = trustmark.binding(payload)
    assert value == f"1*{payload:061b}"
    assert trustmark.bound(value) == payload


@pytest.mark.parametrize("value", ["", "1*", "2*" + "0" * 61, "1*" + "0" * 60, "1*" + "2" * 61])
def test_another_value_is_none(value: str) -> None:
    assert trustmark.bound(value) is None

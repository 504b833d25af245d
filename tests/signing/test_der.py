# SPDX-License-Identifier: Apache-2.0
"""Our DER is asn1crypto's, byte for byte; the forms themselves are X.690's own examples."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from asn1crypto import core, x509
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import der

_Set: Any = core.SetOf
_Time: Any = x509.Time
INTEGERS = st.integers(-(1 << 200), 1 << 200)
OIDS = st.tuples(st.integers(0, 2), st.integers(0, 39), st.integers(0), st.integers(0))


@given(INTEGERS)
def test_integers(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@pytest.mark.parametrize(
    ("value", "content"),
    [(0, "00"), (127, "7f"), (128, "0080"), (256, "0100"), (-128, "80"), (-129, "ff7f")],
)
def test_integers_take_as_few_bytes_as_hold_their_sign(value: int, content: str) -> None:
    assert der.integer(value)[2:].hex() == content
    assert der.enumerated(value)[2:].hex() == content


@given(OIDS)
def test_object_identifiers(arcs: tuple[int, ...]) -> None:
    dotted = ".".join(map(str, arcs))
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


@given(st.binary(max_size=70_000))
def test_strings_of_any_length(content: bytes) -> None:
    assert der.octets(content) == core.OctetString(content).dump()
    assert der.bits(content) == core.OctetBitString(content).dump()


@given(st.text(max_size=200))
def test_texts(text: str) -> None:
    assert der.utf8(text) == core.UTF8String(text).dump()


@given(st.lists(st.binary(max_size=10)))
def test_a_set_is_in_the_order_of_its_bytes(contents: list[bytes]) -> None:
    class Octets(_Set):  # type: ignore[misc]  # the base class has no types
        _child_spec = core.OctetString

    assert der.set_of(*map(der.octets, contents)) == Octets(contents).dump()


@given(st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_times(at: datetime) -> None:
    whole = at.replace(microsecond=0)
    assert der.generalized_time(at) == core.GeneralizedTime(whole).dump()
    name = "utc_time" if at.year < 2050 else "general_time"
    assert der.time(at) == _Time(name=name, value=whole).dump()


def test_times_are_in_utc() -> None:
    at = datetime(2026, 11, 20, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert der.generalized_time(at)[2:] == b"20261119230000Z"


@pytest.mark.parametrize("number", range(26))
def test_a_named_bit_ends_its_string(number: int) -> None:
    bits = tuple(int(position == number) for position in range(number + 1))
    assert der.named_bit(number) == core.BitString(bits).dump()


def test_truth_tags_and_sequences() -> None:
    assert der.true() == core.Boolean(value=True).dump()
    assert der.sequence(der.integer(1), der.NULL).hex() == "30050201010500"
    assert der.explicit(1, der.NULL).hex() == "a1020500"
    assert der.implicit(2, b"x").hex() == "820178"

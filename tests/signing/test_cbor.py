# SPDX-License-Identifier: Apache-2.0
"""CBOR is read as RFC 8949 has it, and what a claim does not need is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import cbor
from assay.signing.cbor import Tagged
from assay.signing.errors import InvalidDocument


# RFC 8949, appendix A.
@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("00", 0),
        ("17", 23),
        ("1818", 24),
        ("1903e8", 1000),
        ("1a000f4240", 1000000),
        ("1bffffffffffffffff", 18446744073709551615),
        ("20", -1),
        ("3903e7", -1000),
        ("f4", False),
        ("f5", True),
        ("f6", None),
        ("c11a514b67b0", Tagged(1, 1363896240)),
        ("40", b""),
        ("4401020304", b"\x01\x02\x03\x04"),
        ("6449455446", "IETF"),
        ("62c3bc", "ü"),
        ("83010203", [1, 2, 3]),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a201020304", {1: 2, 3: 4}),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ],
)
def test_a_value_is_read_and_written(encoded: str, value: Any) -> None:  # noqa: ANN401 - of any kind
    assert cbor.loads(bytes.fromhex(encoded)) == value
    assert cbor.dumps(value).hex() == encoded


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (1.5, "expected a value that CBOR is read as here, found <class 'float'>"),
        ([object()], "expected a value that CBOR is read as here, found <class 'object'>"),
        (1 << 64, "expected a number of 64 bits, found 18446744073709551616"),
    ],
)
def test_what_is_not_read_is_not_written(value: object, says: str) -> None:
    with pytest.raises(TypeError) as refusal:
        cbor.dumps(value)
    assert str(refusal.value) == says


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 64), (1 << 64) - 1) | st.binary() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(0, 300), inner)
        | st.builds(Tagged, st.integers(0, 300), inner)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value: object) -> None:
    assert cbor.loads(cbor.dumps(value)) == value


@pytest.mark.parametrize(
    ("encoded", "says"),
    [
        ("", "expected 1 bytes at 0, found 0"),
        ("0000", "expected an end at byte 1, found 1 bytes more"),
        ("19", "expected 2 bytes at 1, found 0"),
        ("43ffff", "expected 3 bytes at 1, found 2"),
        ("61ff", "expected UTF-8, found invalid start byte"),
        ("9f01ff", "expected a length, found additional information 31"),
        ("1c", "expected a length, found additional information 28"),
        ("f97e00", "expected true, false or null, found simple value 25"),
        ("f7", "expected true, false or null, found simple value 23"),
        ("9affffffff", "expected at most 0 items, found 4294967295"),
        ("baffffffff00", "expected at most 1 items, found 4294967295"),
        ("a2010a010b", "expected each key once, found 1 twice"),
        ("a1f500", "expected a text or a number as a key, found bool"),
        ("a14000", "expected a text or a number as a key, found bytes"),
        ("81" * 16 + "00", "expected at most 16 levels, found more"),
    ],
)
def test_another_is_refused(encoded: str, says: str) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        cbor.loads(bytes.fromhex(encoded))
    assert str(refusal.value) == f"cbor: {says}"


def test_as_many_levels_as_there_may_be_are_read() -> None:
    assert cbor.loads(b"\x81" * 15 + b"\x00")

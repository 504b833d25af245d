# SPDX-License-Identifier: Apache-2.0
"""The same JSON is parsed once, and only exactly the same."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import once as module
from assay.signing.errors import InvalidDocument
from assay.signing.once import Written, once

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "0", "1", "null"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)


def counted() -> tuple[Callable[[object], tuple[object]], list[object]]:
    """What wraps whatever it parses, and all that it was given to parse."""
    seen: list[object] = []

    @once
    def wrapped(value: object) -> tuple[object]:
        seen.append(value)
        return (value,)

    return wrapped, seen


def test_the_same_value_is_the_same_object_again() -> None:
    wrapped, seen = counted()
    assert wrapped({"a": [1, "x", None]}) is wrapped({"a": [1, "x", None]})
    assert len(seen) == 1


def test_what_is_written_is_the_same_as_what_it_was_written_of() -> None:
    wrapped, seen = counted()
    value = {"a": [1, "x", None], "b": {}}
    written = Written(value)
    assert wrapped(written) is wrapped(value)
    assert len(seen) == 1
    assert (dict(written), len(written), written["b"]) == (value, 2, {})


@given(VALUES, VALUES)
def test_of_two_values_each_is_itself(one: object, two: object) -> None:
    """True is no 1 here, and an empty array no empty object."""
    wrapped, _ = counted()
    assert [repr(wrapped(each)[0]) for each in (one, two, one)] == [repr(one), repr(two), repr(one)]


def test_who_changes_what_was_given_changes_nothing_that_is_remembered() -> None:
    wrapped, _ = counted()
    given_: dict[str, object] = {"a": 1}
    before = wrapped(given_)
    given_["a"] = 2
    assert (before, wrapped({"a": 1}), wrapped(given_)) == (({"a": 1},), ({"a": 1},), ({"a": 2},))


def test_what_is_refused_is_refused_each_time() -> None:
    seen: list[object] = []

    @once
    def refused(value: object) -> object:
        seen.append(value)
        raise InvalidDocument("field", "another", "this")

    for _ in range(2):
        with pytest.raises(InvalidDocument):
            refused({"a": 1})
    assert len(seen) == 2


@pytest.mark.parametrize("value", [MappingProxyType({"a": 1}), {"a": "x" * module.MAX_BYTES}])
def test_what_is_no_plain_json_or_too_long_is_parsed_each_time(value: object) -> None:
    wrapped, seen = counted()
    assert wrapped(value) == wrapped(value) == (value,)
    assert len(seen) == 2

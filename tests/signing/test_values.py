# SPDX-License-Identifier: Apache-2.0
"""A value of ours is what the standard library's dataclass would be, in all that anybody asks."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import values

Class: TypeAlias = Any  # made by one of two
NUMBERS = st.integers(-1, 1)


def made(dataclass: Callable[..., Any]) -> tuple[Class, Class, Class]:
    """Three classes, by one of the two."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Value:
        number: int
        text: str = "text"
        many: list[int] = field(default_factory=list[int])
        aside: int = field(default=0, compare=False, repr=False)

        @property
        def doubled(self) -> int:
            return 2 * self.number

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Checked:
        number: int

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError(self.number)
            object.__setattr__(self, "number", self.number + 1)

        def __hash__(self) -> int:
            return 7

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Alone:
        aside: int = field(default=0, compare=False)

    return Value, Checked, Alone


OURS, THEIRS = made(values.dataclass), made(dataclasses.dataclass)
EACH = pytest.mark.parametrize(
    ("value", "checked", "alone"), [OURS, THEIRS], ids=["ours", "the library's"]
)


@EACH
def test_it_has_its_fields_and_no_others(value: Class, checked: Class, alone: Class) -> None:
    found = value(number=1)
    assert (found.number, found.text, found.many, found.aside, found.doubled) == (
        1,
        "text",
        [],
        0,
        2,
    )
    assert found.many is not value(number=1).many
    assert [each.name for each in dataclasses.fields(found)] == ["number", "text", "many", "aside"]
    assert repr(found) == f"{value.__qualname__}(number=1, text='text', many=[])"
    assert not hasattr(found, "__dict__")
    for given_ in ({}, {"number": 1, "other": 2}, {"other": 1}):
        with pytest.raises(TypeError, match=r"number|other"):
            value(**given_)
    with pytest.raises(TypeError):
        value(1)
    assert value.__match_args__ == ()
    assert dataclasses.asdict(found) == {"number": 1, "text": "text", "many": [], "aside": 0}
    assert alone().aside == checked(number=-0).number - 1 == 0


@EACH
def test_it_never_changes(value: Class, checked: Class, alone: Class) -> None:
    for found, name in (
        (value(number=1), "text"),
        (checked(number=1), "number"),
        (alone(), "aside"),
    ):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(found, name, 2)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(found, name)


@EACH
def test_another_is_made_of_it(value: Class, checked: Class, alone: Class) -> None:
    found = value(number=1, many=[1])
    assert dataclasses.replace(found, number=2) == value(number=2, many=[1])
    assert copy.copy(found) == found == copy.deepcopy(found)
    assert copy.deepcopy(found).many is not found.many
    with pytest.raises(ValueError, match="-1"):
        checked(number=-1)
    assert (checked(number=1).number, hash(checked(number=1))) == (2, 7)
    assert hash(alone(aside=1)) == hash(alone(aside=2))


@values.dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One that pickle finds by its name."""

    number: int
    text: str = ""


def test_it_goes_from_one_process_to_another() -> None:
    found = Sent(number=1, text="a")
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - of our own making
    assert again == found
    assert again is not found


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_it_is_equal_to_what_the_librarys_would_be(a: int, b: int, c: int, d: int) -> None:
    for value, _, alone in (OURS, THEIRS):
        one, two = value(number=a, aside=c), value(number=b, aside=d)
        assert (one == two) is (a == b)
        assert alone(aside=c) == alone(aside=d)
        assert one != alone()
        assert one.__eq__(1) is NotImplemented
    same, other = Sent(number=a), Sent(number=b)
    assert (hash(same) == hash(other)) is (hash((a, "")) == hash((b, "")))


def test_of_other_kinds_the_standard_library_makes_classes() -> None:
    @values.dataclass(slots=True)
    class Counter:
        number: int = 0

    found = Counter(1)
    found.number += 1
    assert found == Counter(2)

# SPDX-License-Identifier: Apache-2.0
"""What was judged before: taken over for exactly the same inputs, and judged anew for all others.

Many outputs stand on one checkpoint, and what they say of it is the same to the byte. Nothing that
failed is kept: it is judged again, each time that it is met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, Generic, TypeVar, cast

from cryptography.x509 import Certificate

from ..errors import Outcome, Step
from ..evidence import Evidence
from ..once import Same
from ..values import dataclass
from .requirements import Basis, Requirements

S = TypeVar("S")
T = TypeVar("T")
KEPT = 16  # judgements of each kind; each holds on to the evidence that it is about
_LEAVES = frozenset({type(None), str, bytes, datetime, Certificate})
_OPENED = (Basis, Evidence, Requirements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement(Generic[T]):
    """Steps that were taken one after the other, and what they established."""

    steps: tuple[Step, ...]
    found: T

    @property
    def has_passed(self) -> bool:
        """Whether each step did."""
        return all(step.outcome is Outcome.PASSED for step in self.steps)


def remembering(judge: Callable[[S], Judgement[T]]) -> Callable[[S], Judgement[T]]:
    """`judge`, but what passed is not judged again for an equal subject.

    The subject is a value whose fields are all that `judge` depends on; each counts.
    """

    @lru_cache(KEPT)
    def passed(subject: _Subject) -> Judgement[T]:
        found = judge(cast("S", subject.value))
        if not found.has_passed:
            raise _Failed(found)  # past the memory, which keeps what is returned
        return found

    @wraps(judge)
    def judged(subject: S) -> Judgement[T]:
        try:
            return passed(_Subject(subject))
        except _Failed as failed:
            return cast("Judgement[T]", failed.judgement)

    return judged


class _Failed(Exception):
    """A judgement of which a step failed."""

    def __init__(self, judgement: Judgement[Any]) -> None:
        super().__init__()
        self.judgement = judgement


class _Subject:
    """What is judged, equal to another where everything in it is."""

    __slots__ = ("key", "value")

    def __init__(self, value: object) -> None:
        self.value = value
        self.key = _opened(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Subject) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


def _opened(value: Any) -> tuple[object, ...]:  # noqa: ANN401 - any value of ours, by its slots
    """Every field of a value; none has to be named here, so that none can be forgotten."""
    return tuple(_key(getattr(value, name)) for name in value.__slots__)


def _key(value: object) -> object:
    """A value as it counts: what is made anew for each artifact is looked into, to its leaves."""
    if type(value) in _LEAVES:
        return value
    if isinstance(value, _OPENED):
        return _opened(value)
    match value:
        case int():  # of which true is one: they are equal, and no two of one kind
            return type(value), value
        case tuple() | list():
            each = cast("tuple[object, ...]", value)
            return tuple(each) if _LEAVES.issuperset(map(type, each)) else tuple(map(_key, each))
        case Mapping():
            pairs = cast("Mapping[str, object]", value).items()
            return dict, *((name, _key(each)) for name, each in pairs)
        case _:
            return Same(value)

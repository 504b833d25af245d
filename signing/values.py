# SPDX-License-Identifier: Apache-2.0
"""`dataclass(frozen=True, slots=True, kw_only=True)`, which compiles nothing when it is imported.

The standard library's writes six functions for each class as text and compiles them: half a
millisecond, at each start, and a verification meets a hundred and twenty classes. Here the fields
and slots are the standard library's, and the functions are shared. What a class is, and what
`replace`, `fields` and a type checker see, is the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

__all__ = ["dataclass"]
T = TypeVar("T")
_Any: TypeAlias = Any  # a class of ours, or a value of it

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        *, frozen: bool = False, slots: bool = False, kw_only: bool = False
    ) -> Callable[[type[T]], type[T]]:
        """Of values of this one kind; of others the standard library makes classes."""
        if frozen and slots and kw_only:
            return _value
        return dataclasses.dataclass(frozen=frozen, slots=slots, kw_only=kw_only)


def _value(cls: type[T]) -> type[T]:
    bare = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=True)
    made: _Any = bare(cls)
    found = dataclasses.fields(made)
    compared = [each.name for each in found if each.compare]
    functions: dict[str, Any] = {
        "__init__": _init(made, found),
        "__eq__": _eq(compared),
        "__hash__": _hash(compared),
        **_SHARED,
    }
    for name, function in functions.items():
        if name not in cls.__dict__:
            setattr(made, name, function)
    return cast("type[T]", made)


def _init(made: _Any, found: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    puts = tuple((each.name, getattr(made, each.name).__set__) for each in found)
    names = frozenset(each.name for each in found)
    defaults = {e.name: e.default for e in found if e.default is not dataclasses.MISSING}
    makers = {
        e.name: e.default_factory for e in found if e.default_factory is not dataclasses.MISSING
    }
    is_checked = hasattr(made, "__post_init__")

    def __init__(self: _Any, /, **given: object) -> None:  # noqa: N807 - of each class
        if given.keys() != names:
            fresh = {name: make() for name, make in makers.items() if name not in given}
            given = {**defaults, **fresh, **given}
            if given.keys() != names:
                expected, was = ", ".join(sorted(names)), ", ".join(sorted(given))
                raise TypeError(f"{made.__qualname__}: expected {expected}, found {was}")
        for name, put in puts:
            put(self, given[name])
        if is_checked:
            self.__post_init__()

    return __init__


def _eq(compared: list[str]) -> Callable[[_Any, object], bool]:
    key = attrgetter(*compared) if compared else _nothing

    def __eq__(self: _Any, other: object) -> bool:  # noqa: N807 - of each class
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(key(self) == key(other))

    return __eq__


def _hash(compared: list[str]) -> Callable[[_Any], int]:
    key = attrgetter(*compared) if compared else _nothing

    def __hash__(self: _Any) -> int:  # noqa: N807 - of each class
        return hash(key(self))

    return __hash__


def _nothing(_: object) -> tuple[()]:
    return ()


def _repr(self: _Any) -> str:
    shown = (each.name for each in dataclasses.fields(self) if each.repr)
    inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__qualname__}({inner})"


def _refuse(_: object, name: str, *_value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to or delete field {name!r}")


def _state(self: _Any) -> list[object]:
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _restore(self: _Any, state: list[object]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


_SHARED: dict[str, Callable[..., Any]] = {
    "__repr__": _repr,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__getstate__": _state,
    "__setstate__": _restore,
}

# SPDX-License-Identifier: Apache-2.0
"""Parse once what stands in many documents: the same JSON is the same value again.

Of ten thousand outputs each file brings all of its evidence, and of most of it each brings the
same. Whoever is given the very value that was given before need not look into it.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, wraps
from typing import Any, Generic, TypeVar

T = TypeVar("T")
KEPT = 64  # values of each kind: ten times what one artifact's evidence holds
MAX_BYTES = 2 << 20  # a manifest of ten thousand files has half; what is longer is parsed each time
_VERSION = 2  # the last that writes a value in one way, whoever else holds its parts


class Same(Generic[T]):
    """A frozen value, equal to nothing but itself: it was read once, and is shared since."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value  # pyright: ignore[reportUnknownMemberType] # whatever it is

    def __hash__(self) -> int:
        return id(self.value)


class Recent(Generic[T]):
    """The last few values that were met, the newest first; replaced as one, as threads share it."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: tuple[T, ...] = ()

    def add(self, value: T, *, most: int) -> None:
        """Keep one more, and only so many."""
        self.values = (value, *self.values)[:most]


class Written(Mapping[str, object]):
    """An object of JSON as marshal writes it: nobody can change it, and who looks gets a copy."""

    __slots__ = ("marshalled",)

    def __init__(self, value: Any) -> None:  # noqa: ANN401 - whatever object JSON has
        self.marshalled = marshal.dumps(value, _VERSION)

    def __getitem__(self, name: str) -> object:
        return self._copy()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._copy())

    def __len__(self) -> int:
        return len(self._copy())

    def _copy(self) -> dict[str, object]:
        found: dict[str, object] = marshal.loads(self.marshalled)  # noqa: S302 - written above
        return found


def once(parse: Callable[[object], T]) -> Callable[[object], T]:
    """`parse`, of frozen values, which looks again only at what it has not seen, or has refused.

    What it goes by are all bytes of the JSON, as marshal writes them: there each value has another
    form. It parses a copy of its own, so that nobody can change what it remembers.
    """

    @lru_cache(KEPT)
    def of(written: bytes) -> T:
        return parse(marshal.loads(written))  # noqa: S302 - written below, and by nobody else

    @wraps(parse)
    def parsed(value: Any) -> T:  # noqa: ANN401 - whatever JSON has, and a stranger may give
        try:
            is_written = type(value) is Written
            written = value.marshalled if is_written else marshal.dumps(value, _VERSION)
        except ValueError:  # no plain JSON: something of the caller's own
            return parse(value)
        return of(written) if len(written) <= MAX_BYTES else parse(value)

    return parsed

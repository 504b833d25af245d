# SPDX-License-Identifier: Apache-2.0
"""The lines of a text by their digests, by which a part of it verifies without the rest.

Each line of the normalised text that is not empty counts, in its order; the digests, a line each,
are a list, and its SHA-256 is what an output's statement names (docs/spec/formats.md, section 2).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from . import canonical
from .digests import normalised_text, sha256
from .values import dataclass

# Of a list within evidence: some 0.3 MiB of JSON. What a checkpoint writes at once has fewer.
MAX_LINES = 4096
# Of which an excerpt is looked for: as much as so many lines of a book have. Larger content is
# compared as a whole alone.
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Lines that stand in a text one after the other, counted from 1; empty ones do not count."""

    first: int
    last: int
    of: int
    """How many lines the text has."""

    def __str__(self) -> str:
        if self.first == self.last:
            return f"line {self.first} of {self.of}"
        return f"lines {self.first} to {self.last} of {self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineList:
    """The digests of a text's lines, in their order."""

    digests: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """The lines of a text; none of one that is empty when it is normalised."""
        return cls(digests=_digests(_lines(text)))

    @classmethod
    def parse(cls, values: Iterable[object]) -> Self:
        """Read the JSON form, an array."""
        found = ({"lines": each} for each in values)
        return cls(digests=tuple(canonical.sha256_hex(each, "lines") for each in found))

    @property
    def sha256(self) -> str:
        """The digest that an output's statement names."""
        return sha256("".join(f"{each}\n" for each in self.digests).encode())

    def find(self, text: str) -> Excerpt | None:
        """Where the lines of a text stand in this one, all of them, in their order; the first time.

        One that has more of them than this one is no excerpt, and costs no digests.
        """
        lines = _lines(text)
        if not 0 < len(lines) <= len(self.digests):
            return None
        found, wanted = self.digests, _digests(lines)
        for at in range(len(found) - len(wanted) + 1):
            if found[at : at + len(wanted)] == wanted:
                return Excerpt(first=at + 1, last=at + len(wanted), of=len(found))
        return None


def _lines(text: str) -> list[str]:
    return [line for line in normalised_text(text).split("\n") if line]


def _digests(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(sha256(line.encode()) for line in lines)

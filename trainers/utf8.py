# SPDX-License-Identifier: Apache-2.0
"""Which byte may follow, so that what a model writes is always valid, printable UTF-8.

A model of bytes can write any; a signed text must be text. Instead of repairing bad bytes after the
fact, the sampler only ever draws from those allowed here (Unicode 17, table 3-7).
"""

from __future__ import annotations

from dataclasses import dataclass

TAB, LINE_FEED, DELETE = 0x09, 0x0A, 0x7F
SPACE = 0x20
_ANY = range(0x80, 0xC0)
# By first byte: what the second may be, and how many more follow it.
_LEADS = {
    0xC2: (range(0xA0, 0xC0), 0),  # not the control characters U+0080 to U+009F
    **dict.fromkeys(range(0xC3, 0xE0), (_ANY, 0)),
    0xE0: (range(0xA0, 0xC0), 1),
    **dict.fromkeys([*range(0xE1, 0xED), 0xEE, 0xEF], (_ANY, 1)),
    0xED: (range(0x80, 0xA0), 1),  # not half a surrogate pair
    0xF0: (range(0x90, 0xC0), 2),
    **dict.fromkeys(range(0xF1, 0xF4), (_ANY, 2)),
    0xF4: (range(0x80, 0x90), 2),
}
_FIRST = frozenset([TAB, LINE_FEED, *range(SPACE, DELETE), *_LEADS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a character a text ends: what may come next, and what is due after that."""

    allowed: frozenset[int] = _FIRST
    due: int = 0

    @property
    def is_between_characters(self) -> bool:
        """Whether the text is whole if it ends here."""
        return self.allowed is _FIRST

    def after(self, byte: int) -> Place:
        """The place behind one more byte, which must be an allowed one."""
        if self.is_between_characters:
            if byte not in _LEADS:
                return self
            second, due = _LEADS[byte]
            return Place(allowed=frozenset(second), due=due)
        return Place(allowed=frozenset(_ANY), due=self.due - 1) if self.due else START


START = Place()

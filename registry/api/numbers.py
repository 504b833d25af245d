# SPDX-License-Identifier: Apache-2.0
"""Whole numbers as callers write them, in addresses, headers and forms.

Zeros before a number make it no smaller, and no larger. What has more digits than it may have is
not converted: Python takes its time for thousands of them, and then refuses.
"""

from __future__ import annotations

LAST_KEY = (1 << 63) - 1  # that a row can have, and any other number of a column of eight bytes


def whole(text: str, *, most: int) -> int | None:
    """A number of 0 to `most`; None for what is none, or more."""
    found = capped(text, most=most + 1)
    return None if found is None or found > most else found


def capped(text: str, *, most: int) -> int | None:
    """The same, but what is more counts as `most`."""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    return min(int(digits), most) if len(digits) <= len(str(most)) else most

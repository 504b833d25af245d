# SPDX-License-Identifier: Apache-2.0
"""Sizes as people read them."""

from __future__ import annotations

UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000


def in_words(size_bytes: int) -> str:
    """In decimal units, as disks and networks count them; whole bytes below a thousand."""
    value, unit = float(size_bytes), 0
    while value >= THOUSAND and unit < len(UNITS) - 1:
        value, unit = value / THOUSAND, unit + 1
    return f"{value:.0f} {UNITS[0]}" if unit == 0 else f"{value:.1f} {UNITS[unit]}"

# SPDX-License-Identifier: Apache-2.0
"""Reads what must be in the database: entries and hashes at places of the tree that it has.

Each raises LedgerDamaged unless all of them are there.
"""

from __future__ import annotations

from registry import prepared
from registry.prepared import Prepared

from .errors import LedgerDamaged
from .models import Entry, Hash

# As tiles.entry_bundle makes it of the same entries, each after its length in two bytes; in Python
# it took a millisecond of whatever is signed at the moment, to read up to 255 that had been there.
BUNDLE = """
    SELECT count(*), string_agg(substring(int4send(length(body)) FROM 3) || body, '' ORDER BY index)
    FROM ledger_entry WHERE index >= %s AND index < %s
"""

_BODIES = Prepared(
    lambda start, end: (
        Entry.objects.filter(index__gte=start, index__lt=end)
        .order_by("index")
        .values_list("body", flat=True)
    )
)
_HASHES = Prepared(
    lambda level, start, end: (
        Hash.objects.filter(level=level, position__gte=start, position__lt=end)
        .order_by("position")
        .values_list("digest", flat=True)
    )
)


def bodies(start: int, count: int) -> list[bytes]:
    """The entries at these indexes."""
    found = [bytes(body) for body in _BODIES.all(start=start, end=start + count)]
    _check_count(len(found), count, f"entries from {start}")
    return found


def bundle(start: int, count: int) -> bytes:
    """The same as the bytes of a bundle of entries (C2SP tlog-tiles)."""
    ((found, data),) = prepared.rows(BUNDLE, [start, start + count], is_binary=True)
    _check_count(found, count, f"entries from {start}")
    return bytes(data)


def hashes(level: int, start: int, count: int) -> list[bytes]:
    """The stored hashes at these positions of a level."""
    found = [bytes(each) for each in _HASHES.all(level=level, start=start, end=start + count)]
    _check_count(len(found), count, f"hashes from {level}/{start}")
    return found


def _check_count(found: int, expected: int, what: str) -> None:
    if found != expected:
        raise LedgerDamaged(f"expected {expected} {what}, the database holds {found}")

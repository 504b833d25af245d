# SPDX-License-Identifier: Apache-2.0
"""Spans of the ledger: which entries are of a time, and which of them some subjects signed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from .models import Entry, Statement
from .queries import newest_head

AT_ONCE = 100  # statements, of some 8 kB each with their proofs


def signed_size() -> int:
    """How many entries the newest signed tree head includes."""
    head = newest_head()
    return head.size if head else 0


def first_since(moment: datetime, size: int) -> int:
    """The index of the first of `size` entries that is not from before a moment, else `size`.

    Entries come nearly in the order in which they are made; what is off by a batch at the edge of
    a span is in the one or in the other.
    """
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if Entry.objects.values_list("created_at", flat=True).get(index=middle) < moment:
            low = middle + 1
        else:
            high = middle
    return low


def signed_as(subjects: Collection[str], first: int, end: int) -> Iterator[list[Statement]]:
    """What certificates with these URIs signed, from one entry up to another, in their order."""
    rows = Statement.objects.filter(subject__in=subjects, entry__index__lt=end)
    rows = rows.select_related("entry").order_by("entry__index")
    while found := list(rows.filter(entry__index__gte=first)[:AT_ONCE]):
        yield found
        first = 1 + max(each.entry.index or 0 for each in found)

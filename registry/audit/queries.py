# SPDX-License-Identifier: Apache-2.0
"""Reads the audit rows back, and checks that they are the ones that were written."""

from __future__ import annotations

from dataclasses import dataclass

from .chain import EMPTY, GENESIS, digest
from .models import AuditRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """An unbroken chain: how many rows, and the digest of the last, to be noted down elsewhere."""

    rows: int
    head: str
    redacted: int = 0
    """Of these, those that named people who have left; that they were there is all they say."""


class BrokenChain(Exception):
    """A row is not what it was, or its predecessor is not there any more."""


def verify() -> Chain:
    """Recomputes every digest; raises BrokenChain, naming the first row that does not fit."""
    rows, redacted, head = 0, 0, GENESIS
    for row in AuditRow.objects.order_by("id").iterator():
        if row.previous_sha256 != head:
            raise BrokenChain(
                f"expected row {row.pk} to follow {head}, found {row.previous_sha256}"
            )
        is_empty = {name: getattr(row, name) for name in EMPTY} == EMPTY
        if row.sha256 != digest(row) and not is_empty:
            raise BrokenChain(f"expected row {row.pk} as it was written, found it changed")
        rows, redacted, head = rows + 1, redacted + is_empty, row.sha256
    return Chain(rows=rows, head=head, redacted=redacted)

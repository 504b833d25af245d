# SPDX-License-Identifier: Apache-2.0
"""Reads the audit rows back, and checks that they are the ones that were written."""

from __future__ import annotations

from dataclasses import dataclass

from .chain import EMPTY, ERASURE, GENESIS, digest
from .models import AuditRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """An unbroken chain: how many rows, and the digest of the last, to be noted down elsewhere."""

    rows: int
    head: str
    redacted: int = 0
    """Of these, those that named people who have left; that they were there is all they say."""
    blanked: int = 0
    """How many statements, by the rows of erasures, are kept no longer."""


class BrokenChain(Exception):
    """A row is not what it was, or its predecessor is not there any more."""


def verify() -> Chain:
    """Recomputes every digest; raises BrokenChain, naming the first row that does not fit.

    As many rows may be empty as the rows of erasures, which are never emptied, say that they are.
    """
    rows, redacted, head, said, blanked = 0, 0, GENESIS, 0, 0
    for row in AuditRow.objects.order_by("id").iterator():
        is_empty = _check(row, follows=head)
        if row.action == ERASURE and not is_empty:
            said += row.details["audit_rows"]
            blanked += row.details["statements"]
        rows, redacted, head = rows + 1, redacted + is_empty, row.sha256
    if redacted != said:
        raise BrokenChain(
            f"expected {said} emptied rows, as the rows of erasures say, found {redacted}"
        )
    return Chain(rows=rows, head=head, redacted=redacted, blanked=blanked)


def _check(row: AuditRow, *, follows: str) -> bool:
    """Whether the row was emptied; raises BrokenChain unless it is otherwise as it was written."""
    if row.previous_sha256 != follows:
        raise BrokenChain(f"expected row {row.pk} to follow {follows}, found {row.previous_sha256}")
    is_empty = {name: getattr(row, name) for name in EMPTY} == EMPTY
    if row.sha256 != digest(row) and not is_empty:
        raise BrokenChain(f"expected row {row.pk} as it was written, found it changed")
    return is_empty

# SPDX-License-Identifier: Apache-2.0
"""What was taken down, where the ledger says so."""

from __future__ import annotations

from registry.accounts.queries import Namespace
from registry.ledger import queries as ledger
from registry.ledger.queries import Statement

from ..models import Checkpoint


def in_ledger(of: Checkpoint) -> Statement | None:
    """Why it was taken down, once that is in the ledger: evidence waits for no tree head."""
    found = of.takedown
    return found if found is not None and ledger.is_included(found) else None


def about(owner: Namespace) -> frozenset[int]:
    """The statements about what was taken down of this owner's, by their keys."""
    rows = Checkpoint.objects.filter(project__owner=owner).exclude(takedown=None)
    return frozenset(rows.values_list("takedown_id", flat=True))

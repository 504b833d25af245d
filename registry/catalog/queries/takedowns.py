# SPDX-License-Identifier: Apache-2.0
"""What was taken down, where the ledger says so."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min, QuerySet

from registry.accounts.queries import Namespace
from registry.ledger import queries as ledger
from registry.ledger.queries import Statement

from ..models import Checkpoint, Project, State


def in_ledger(of: Checkpoint) -> Statement | None:
    """Why it was taken down, once that is in the ledger: evidence waits for no tree head."""
    found = of.takedown
    return found if found is not None and ledger.is_included(found) else None


def left_of(project: Project) -> QuerySet[Checkpoint]:
    """What was taken down of a project, the newest first."""
    rows = Checkpoint.objects.filter(project=project, state=State.TAKEN_DOWN)
    return rows.select_related("project__owner").order_by("-taken_down_at", "-pk")


def ordered_in(year: int) -> int:
    """How many checkpoints were taken down in a year without a case, and still are."""
    return _ordered().filter(taken_down_at__year=year).count()


def first_ordered_at() -> datetime | None:
    """When the first of those was taken down; None where none is."""
    found: datetime | None = _ordered().aggregate(at=Min("taken_down_at"))["at"]
    return found


def _ordered() -> QuerySet[Checkpoint]:
    return Checkpoint.objects.filter(state=State.TAKEN_DOWN, case=None)


def about(owner: Namespace) -> frozenset[int]:
    """The statements about what was taken down of this owner's, by their keys."""
    rows = Checkpoint.objects.filter(project__owner=owner).exclude(takedown=None)
    return frozenset(rows.values_list("takedown_id", flat=True))

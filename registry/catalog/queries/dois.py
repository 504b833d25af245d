# SPDX-License-Identifier: Apache-2.0
"""Reads of DOIs: that of a checkpoint, what it is called, and which are still to be told of."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from ..errors import NotFound
from ..models import Checkpoint, State, Visibility
from ..models.registered import Doi, DoiState

__all__ = ["Doi", "DoiState"]

DIGITS = 16  # of the id, so that nobody takes one checkpoint's DOI for another's
_PUBLIC = Q(
    checkpoint__state=State.PUBLISHED,
    checkpoint__project__visibility=Visibility.PUBLIC,
    checkpoint__project__ended_at=None,
)


def of(checkpoint: Checkpoint) -> Doi | None:
    """What was asked for, however far it has come."""
    return Doi.objects.filter(checkpoint=checkpoint).first()


def registered(checkpoint: Checkpoint) -> Doi | None:
    """One that resolves."""
    return Doi.objects.filter(checkpoint=checkpoint).exclude(registered_at=None).first()


def name(checkpoint: Checkpoint, prefix: str) -> str:
    """The one that this checkpoint can have: its id, and its entry in the ledger.

    Two projects may have published the same files, each with an entry of its own.
    """
    if checkpoint.statement is None or checkpoint.statement.entry.index is None:
        raise NotFound("expected a published checkpoint, found one that is not")
    index = checkpoint.statement.entry.index
    return f"{prefix}/assay.{checkpoint.manifest_sha256[:DIGITS]}.{index}"


def due(now: datetime) -> QuerySet[Doi]:
    """Those that wait for their turn, the longest first."""
    return Doi.objects.filter(state=DoiState.WAITING, due_at__lte=now).order_by("due_at", "pk")


def changed() -> QuerySet[Doi]:
    """Those that DataCite's search has, or has not, against what the catalogue says by now.

    And those of which nobody knows, of what not everybody sees.
    """
    known, unknown = Q(state=DoiState.REGISTERED), Q(state=DoiState.REFUSED, sent_at__isnull=False)
    is_wrong = (_PUBLIC & Q(is_findable=False)) | (~_PUBLIC & Q(is_findable=True))
    return Doi.objects.filter((known & is_wrong) | (unknown & ~_PUBLIC))

# SPDX-License-Identifier: Apache-2.0
"""What somebody says that a checkpoint achieved.

The claim itself stands in the statement. Until the ledger includes it, it is in no list and on no
page: who has its id is told that it was received.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from registry.ledger.queries import Statement


class Evaluation(models.Model):
    """`owner` says it. `is_members`: whoever handed it in acted for the project's owner then."""

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    checkpoint = models.ForeignKey("catalog.Checkpoint", on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey("accounts.Namespace", on_delete=models.PROTECT, related_name="+")
    is_members = models.BooleanField()
    statement = models.OneToOneField("ledger.Statement", on_delete=models.PROTECT, related_name="+")
    withdrawal = models.OneToOneField(
        "ledger.Statement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    received_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True)
                | Q(withdrawal__isnull=False, published_at__isnull=False),
                name="catalog_evaluation_withdrawn_by_statement",
            ),
        )
        indexes = (
            models.Index(fields=("checkpoint", "-id"), name="catalog_evaluation_of"),
            # What the sweep looks for: rarely more than a handful.
            models.Index(
                fields=("id",),
                condition=Q(published_at__isnull=True)
                | Q(withdrawal__isnull=False, withdrawn_at__isnull=True),
                name="catalog_evaluation_underway",
            ),
        )

    def __str__(self) -> str:
        return f"evaluation {self.key}"


def about(statement: Statement) -> models.QuerySet[Evaluation]:
    """Those that are shown and that this statement makes, or takes back."""
    said = Evaluation.objects.filter(Q(statement=statement) | Q(withdrawal=statement))
    return said.exclude(published_at=None)

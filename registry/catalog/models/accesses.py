# SPDX-License-Identifier: Apache-2.0
"""Access: that a person asked for the files of a gated project, and what its owner said.

Who may read what is for queries/seeing.py to say.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class AccessState(models.TextChoices):
    """Whether somebody waits, was let in, or was refused."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class Access(models.Model):
    """One row for a person and a project: the newest answer is the one that counts.

    Who was let in without asking has no words of theirs.
    """

    project = models.ForeignKey("catalog.Project", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=7, choices=AccessState.choices)
    said = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("project", "person"), name="catalog_access_once"),
            models.CheckConstraint(
                condition=Q(state__in=AccessState.values), name="catalog_access_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="asked", decided_at__isnull=True)
                | (~Q(state="asked") & Q(decided_at__isnull=False)),
                name="catalog_access_decided_has_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.person} of {self.project} ({self.state})"

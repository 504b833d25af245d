# SPDX-License-Identifier: Apache-2.0
"""Whom a project named as its publishers."""

from __future__ import annotations

from django.conf import settings
from django.db import models

MAX_SUBJECT = 400


class Publisher(models.Model):
    """Jobs of an issuer that may publish to one project, in the name of who named them.

    `subject` is the token's, or its beginning and a `*`; `claims` are members that the token must
    have, each with exactly this text.
    """

    project = models.ForeignKey("catalog.Project", on_delete=models.PROTECT, related_name="+")
    issuer = models.CharField(max_length=400)
    subject = models.CharField(max_length=MAX_SUBJECT)
    claims = models.JSONField(default=dict)
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        """Kept after it was removed: what it published stays explained."""

        indexes = (
            models.Index(
                fields=("project", "issuer"),
                condition=models.Q(removed_at=None),
                name="publishers_live",
            ),
        )

    def __str__(self) -> str:
        return f"{self.issuer} {self.subject}"

    @property
    def actor(self) -> str:
        """How audit rows, holdings and tokens name it."""
        return f"publisher:{self.pk}"

# SPDX-License-Identifier: Apache-2.0
"""What happened to a project and was not yet told to those who watch it."""

from __future__ import annotations

from django.db import models


class Happening(models.Model):
    """Written in the transaction of what happened, taken away in that which tells of it."""

    project = models.ForeignKey("catalog.Project", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    data = models.JSONField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} of {self.project}"

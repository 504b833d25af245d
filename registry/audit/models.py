# SPDX-License-Identifier: Apache-2.0
"""AuditRow: one line of the registry's diary, chained to the line before by its digest."""

from __future__ import annotations

from django.db import models


class AuditRow(models.Model):
    """Append-only: triggers refuse DELETE, and UPDATE but for one that empties (`chain.EMPTY`).

    `salt` is None in what was written before there were salts, and in what was emptied.
    """

    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=400)
    details = models.JSONField()
    salt = models.BinaryField(null=True)
    previous_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, unique=True)

    class Meta:
        """Two rows cannot follow the same one: the chain has no forks."""

        constraints = (
            models.UniqueConstraint(name="audit_chain_has_no_forks", fields=("previous_sha256",)),
        )

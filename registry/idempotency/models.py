# SPDX-License-Identifier: Apache-2.0
"""Attempt: a write that named itself with an Idempotency-Key, and its answer once there is one."""

from __future__ import annotations

import uuid

from django.db import models


class Attempt(models.Model):
    """Without a status the write is still running (or its process died: see services).

    The id is for what the write makes; whoever takes a dead one over makes the same thing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    caller = models.CharField(max_length=80)
    route = models.CharField(max_length=500)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    answer = models.JSONField(null=True)

    class Meta:
        """A caller's key means one thing on one route."""

        constraints = (
            models.UniqueConstraint(name="idempotency_key_once", fields=("caller", "route", "key")),
        )
        indexes = (models.Index(name="idempotency_by_age", fields=("started_at",)),)

# SPDX-License-Identifier: Apache-2.0
"""Event: what a follower of a topic is told, kept so that a lost connection can catch up."""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """Numbered in commit order (services.emit), so that `id > the last one seen` misses nothing."""

    topic = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    data = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Replays read one topic from an id on."""

        indexes = (models.Index(name="events_topic_then_id", fields=("topic", "id")),)

# SPDX-License-Identifier: Apache-2.0
"""Tells the followers of a topic what happened, in the transaction of what happened."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import connection, transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from .models import Event

CHANNEL = "events"
# PostgreSQL refuses a payload of 8,000 bytes; a larger event is announced without its data and read
# from the table by whoever listens.
MAX_PAYLOAD_BYTES = 7_500


def emit(topic: str, kind: str, data: Mapping[str, object]) -> Event:
    """One event; call it last, for its lock is held until the commit.

    Without the lock, ids would be given in one order and committed in another, and a follower who
    has seen id 10 would never be told of id 9.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [settings.JOURNAL_LOCK])
        event = Event.objects.create(topic=topic, kind=kind, data=dict(data))
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, _payload(event)])
    return event


def _payload(event: Event) -> str:
    announcement = {"id": event.pk, "topic": event.topic}
    whole = json.dumps({**announcement, "kind": event.kind, "data": event.data})
    return whole if len(whole) <= MAX_PAYLOAD_BYTES else json.dumps(announcement)


def forget_all(naming: str) -> None:
    """Forget every event whose data has this text: somebody is named by it who has left."""
    Event.objects.annotate(said=Cast("data", TextField())).filter(said__contains=naming).delete()


def forget_those(member: str, values: Collection[str]) -> None:
    """Forget every event whose data has one of these values as this member."""
    Event.objects.filter(**{f"data__{member}__in": list(values)}).delete()

# SPDX-License-Identifier: Apache-2.0
"""Events that have happened, in the order in which they were committed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event, free of the database."""

    id: int
    topic: str
    kind: str
    data: dict[str, object]


def after(last_id: int, topics: Iterable[str], *, limit: int) -> tuple[Happening, ...]:
    """The first of these topics' events after the one with that id."""
    rows = Event.objects.filter(topic__in=tuple(topics), id__gt=last_id).order_by("id")[:limit]
    return tuple(_happening(row) for row in rows)


def event(event_id: int) -> Happening | None:
    """One event."""
    row = Event.objects.filter(pk=event_id).first()
    return None if row is None else _happening(row)


def latest_id() -> int:
    """What a page shows is up to here: its follower asks for `?after=` this."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def _happening(row: Event) -> Happening:
    return Happening(id=row.pk, topic=row.topic, kind=row.kind, data=row.data)

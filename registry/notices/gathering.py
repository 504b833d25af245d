# SPDX-License-Identifier: Apache-2.0
"""From what happened to what is to be sent: each event becomes a delivery for each who watches.

The catalogue keeps what happens in the transaction in which it does (catalog/telling.py). Here each
is taken away and its deliveries are made in one transaction: a crash leaves the one or the others.
Revocations of certificates are read from their own rows, by where we were the last time.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from registry.authority import revocations
from registry.catalog.queries import Project
from registry.catalog.services import telling

from . import queries
from .models import Delivery, Event, Hook, Mark

BATCH = 200


def gather() -> None:
    """Until nothing is left that happened."""
    while _take() == BATCH:
        pass
    while _take_revocation():
        pass


def body_of(kind: str, at: datetime, data: Mapping[str, object]) -> str:
    """What is sent: the members that Standard Webhooks recommends."""
    document = {"type": kind, "timestamp": at.isoformat(), "data": dict(data)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _take() -> int:
    with transaction.atomic():
        told = telling.take(BATCH)
        for each in told:
            hooks = queries.watching(each.project, each.kind).filter(created_at__lte=each.at)
            _queue(hooks, each.kind, each.at, each.data, each.project)
    return len(told)


def _take_revocation() -> bool:
    """The next one that nobody was told of; whether there was one.

    Revocations are made one after the other, under a lock that is held to their commit
    (ledger/barring.py): none with a smaller number comes later.
    """
    with transaction.atomic():
        Mark.objects.get_or_create(pk=1)
        mark = Mark.objects.select_for_update().get(pk=1)
        found = revocations.after(mark.revocation)
        if found is None:
            return False
        until = found.at + timedelta(seconds=1)  # revocations are dated by whole seconds
        data = {
            "serial": found.serial,
            "reason": found.reason,
            "invalid_from": found.invalid_from and found.invalid_from.isoformat(),
        }
        for project in telling.signed_under(found.subject, found.certificate):
            hooks = queries.watching(project, Event.REVOKED).filter(created_at__lt=until)
            said = {**telling.named(project), "certificate": data}
            _queue(hooks, Event.REVOKED, found.at, said, project)
        mark.revocation = found.id
        mark.save(update_fields=["revocation"])
    return True


def _queue(
    hooks: QuerySet[Hook],
    kind: str,
    at: datetime,
    data: Mapping[str, object],
    project: Project | None,
) -> None:
    body = body_of(kind, at, data)
    Delivery.objects.bulk_create(
        Delivery(
            id=uuid.uuid4(),
            hook=hook,
            project=project,
            kind=kind,
            body=body,
            happened_at=at,
            due_at=at,
        )
        for hook in hooks
    )

# SPDX-License-Identifier: Apache-2.0
"""Sends what is due, at least once: claimed first, sent outside any transaction, written down last.

    waiting    due at a moment; each attempt moves it on before anything is sent
    delivered  the receiver answered 2xx
    failed     the last attempt went wrong, too; its hook is switched off
    withheld   whoever watched may not see the project any more

One process delivers at a time, many requests at once, the first of each owner before the second of
any: receivers that take long hold up their own, and nobody who publishes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from registry.accounts.queries import SYSTEM
from registry.audit import services as audit
from registry.locks import alone

from . import queries, sending, signatures
from .models import MAX_ANSWER, Delivery, Hook, State
from .sending import Answer

DELIVERING_LOCK = 0x6173736179_11  # one process that sends, whatever hangs
TOGETHER = 20
OF_ONE_HOOK = 4
ROUNDS = 30  # of at most sending.SECONDS: below the time that a task has
# After each attempt the pause before the next, as Standard Webhooks recommends: 28 hours in all.
PAUSES = tuple(timedelta(seconds=each) for each in (5, 300, 1800, 7200, 18_000, 36_000, 36_000))
KEPT = timedelta(days=30)
OTHER_KEY = "the registry's secret key was replaced: renew this webhook's secret"
NO_MAKER = "whoever made it does not decide for this name any more: switch it on to answer for it"
WANTED_NO_MORE = "its address answered 410: it wants no more"


def deliver(*, trusting: ssl.SSLContext | None = None) -> int:
    """Send what is due; how many there were. Does nothing while another process is at it."""
    sent, context = 0, trusting
    with alone(DELIVERING_LOCK) as is_alone:
        for _ in range(ROUNDS if is_alone else 0):
            claimed = _claim(timezone.now())
            if not claimed:
                break
            context = context or sending.context()
            sent += _send(claimed, context)
    return sent


def tidy(*, now: datetime) -> None:
    """What came to its end long ago is kept no longer."""
    old = Delivery.objects.filter(happened_at__lt=now - KEPT).exclude(state=State.WAITING)
    old.delete()


def switch_off(hook: Hook, reason: str) -> None:
    """Nothing more is sent there until its owner says so; the settings page tells them."""
    with transaction.atomic():
        on = Hook.objects.filter(pk=hook.pk, disabled_at=None)
        if on.update(disabled_at=timezone.now(), reason=reason[:200]):
            audit.record(SYSTEM, "webhook.disable", hook.owner.name, {"webhook": str(hook.pk)})


def _claim(now: datetime) -> list[Delivery]:
    """Some that are due, of many owners; each is moved on before it is sent."""
    due = Delivery.objects.filter(state=State.WAITING, due_at__lte=now, hook__disabled_at=None)
    nth = Window(RowNumber(), partition_by=F("hook"), order_by=("due_at", "id"))
    turn = Window(RowNumber(), partition_by=F("hook__owner"), order_by=("due_at", "id"))
    rows = due.select_related("hook__owner", "hook__made_by", "project__owner")
    fair = rows.annotate(nth=nth, turn=turn).filter(nth__lte=OF_ONE_HOOK)
    claimed: list[Delivery] = []
    for row in fair.order_by("turn", "due_at", "id")[:TOGETHER]:
        same = Delivery.objects.filter(pk=row.pk, state=State.WAITING, due_at=row.due_at)
        if same.update(due_at=now + _pause(row), attempts=F("attempts") + 1, tried_at=now):
            row.attempts += 1
            claimed.append(row)
    return claimed


def _pause(row: Delivery) -> timedelta:
    return PAUSES[min(row.attempts, len(PAUSES) - 1)]


def _send(claimed: Sequence[Delivery], context: ssl.SSLContext) -> int:
    """Together; what may not be said any more is left out."""
    wanted = [row for row in claimed if _may_go(row)]
    for row, answer in zip(wanted, asyncio.run(_posts(wanted, context)), strict=True):
        _write_down(row, answer)
    return len(wanted)


async def _posts(rows: Sequence[Delivery], context: ssl.SSLContext) -> list[Answer]:
    return await asyncio.gather(*(_post(row, context) for row in rows))


async def _post(row: Delivery, context: ssl.SSLContext) -> Answer:
    body = row.body.encode()
    message_id = f"msg_{row.pk.hex}"
    headers = signatures.headers(row.hook, message_id, int(timezone.now().timestamp()), body)
    return await sending.post(row.hook.url, body, headers, trusting=context)


def _may_go(row: Delivery) -> bool:
    if not signatures.is_as_shown(row.hook):
        switch_off(row.hook, OTHER_KEY)
        return False
    if not queries.has_maker(row.hook):
        switch_off(row.hook, NO_MAKER)
        return False
    if not queries.may_hear(row):
        Delivery.objects.filter(pk=row.pk).update(state=State.WITHHELD, body="")
        return False
    return True


def _write_down(row: Delivery, answer: Answer) -> None:
    """How it went; a hook that answered nothing good for more than a day is switched off."""
    is_last = row.attempts > len(PAUSES)
    state = State.DELIVERED if answer.is_good else State.FAILED if is_last else State.WAITING
    text = answer.text[:MAX_ANSWER].replace("\0", " ")
    Delivery.objects.filter(pk=row.pk).update(state=state, status=answer.status, answer=text)
    if answer.is_gone:
        switch_off(row.hook, WANTED_NO_MORE)
    elif state == State.FAILED and not _has_answered_since(row):
        switch_off(row.hook, f"{row.attempts} attempts over {_days()} went wrong: {text[:100]}")


def _has_answered_since(row: Delivery) -> bool:
    good = Delivery.objects.filter(hook=row.hook, state=State.DELIVERED)
    return good.filter(tried_at__gte=row.happened_at).exists()


def _days() -> str:
    hours = sum(PAUSES, timedelta()).total_seconds() / 3600
    return f"{hours:.0f} hours"

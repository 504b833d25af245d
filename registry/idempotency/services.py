# SPDX-License-Identifier: Apache-2.0
"""Claims a key before the write runs, keeps its answer afterwards, and forgets both in time.

A claim is an insert that commits at once, so that of many requests at the same moment one runs and
the others are told so. An answer commits together with the write (see api.idempotent): after a
crash the write either happened and is answered, or it did not, and the key may be claimed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from .errors import InProgress, Mismatch
from .models import Attempt

REMEMBERED_FOR = timedelta(hours=24)
# Longer than any request runs (generation waits 30 s); after it, the process that ran it is dead.
ABANDONED_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as far as its key is concerned."""

    caller: str
    route: str
    key: str
    body_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said again when the request comes again."""

    status: int
    body: object
    headers: dict[str, str]


def claim(call: Call, *, now: datetime) -> Answer | None:
    """None when the caller shall run the write; else the answer it had.

    Raises Mismatch for another body, InProgress while the first request runs.
    """
    if _insert(call, now):
        return None
    attempt = _of(call).first()
    if attempt is None:  # it failed and was forgotten just now: this request may try
        return claim(call, now=now)
    if _is_void(attempt, call, now):
        _take_over(call, attempt, now)
        return None
    if attempt.body_sha256 != call.body_sha256:
        raise Mismatch("expected the same body as the first request with this Idempotency-Key")
    if attempt.status is None:
        raise InProgress("the first request with this Idempotency-Key still runs; ask again later")
    return Answer(status=attempt.status, body=attempt.answer, headers=attempt.headers)


def keep(call: Call, answer: Answer) -> None:
    """Remembers the answer, in the transaction of the write where there is one."""
    _of(call).update(status=answer.status, answer=answer.body, headers=answer.headers)


def forget(call: Call) -> None:
    """The write was refused or failed, so nothing happened: the key is free again."""
    _of(call).filter(status=None).delete()


def sweep(*, now: datetime) -> int:
    """Removes what is older than a day; returns how many."""
    removed, _ = Attempt.objects.filter(started_at__lt=now - REMEMBERED_FOR).delete()
    return removed


def _insert(call: Call, now: datetime) -> bool:
    """Of many at the same moment, the one whose row goes in is the one that runs."""
    try:
        with transaction.atomic():
            Attempt.objects.create(
                caller=call.caller,
                route=call.route,
                key=call.key,
                body_sha256=call.body_sha256,
                started_at=now,
            )
    except IntegrityError:
        return False
    return True


def _of(call: Call) -> QuerySet[Attempt]:
    return Attempt.objects.filter(caller=call.caller, route=call.route, key=call.key)


def _is_void(attempt: Attempt, call: Call, now: datetime) -> bool:
    """That it is remembered no longer, or died on its way and this is the same request again."""
    is_dead = attempt.status is None and attempt.started_at < now - ABANDONED_AFTER
    is_same = attempt.body_sha256 == call.body_sha256
    return attempt.started_at < now - REMEMBERED_FOR or (is_dead and is_same)


def _take_over(call: Call, attempt: Attempt, now: datetime) -> None:
    taken = Attempt.objects.filter(pk=attempt.pk, started_at=attempt.started_at).update(
        body_sha256=call.body_sha256, started_at=now, status=None, answer=None, headers={}
    )
    if not taken:
        raise InProgress("another request with this Idempotency-Key has just started")

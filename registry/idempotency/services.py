# SPDX-License-Identifier: Apache-2.0
"""Claims a key before the write runs, keeps its answer afterwards, and forgets both in time.

A claim is an insert that commits at once, so that of many requests at the same moment one runs and
the others are told so. An answer commits together with the write (see api.idempotent): after a
crash the write either happened and is answered, or it did not, and the key may be claimed again.

A claim is known by the moment at which it started. One that took too long may have been taken over;
then its row is another's, and it can neither be answered nor forgotten by the first any more.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from registry import prepared
from registry.api.problems import Problem

from .errors import InProgress, Mismatch
from .models import Attempt

REMEMBERED_FOR = timedelta(hours=24)
# Longer than any request should run (generation waits 30 s); after it, whoever ran it is most
# likely dead.
ABANDONED_AFTER = timedelta(minutes=2)
KNOWN = """
    SELECT caller, route, key FROM idempotency_attempt
    JOIN unnest(%b::text[], %b::text[], %b::text[]) AS asked (caller, route, key)
    USING (caller, route, key)
"""
NEW = """
    INSERT INTO idempotency_attempt
        (id, caller, route, key, body_sha256, started_at, status, headers, answer)
    SELECT id, caller, route, key, body_sha256, %s, status, headers, answer
    FROM json_to_recordset(%s::json) AS kept (
        id uuid, caller text, route text, key text, body_sha256 text, status int2,
        headers jsonb, answer jsonb
    )
    ON CONFLICT DO NOTHING RETURNING id
"""


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
    """None when the caller shall run the write, as the claim started `now`; else the answer it had.

    Raises Mismatch for another body, InProgress while the first request runs.
    """
    if _insert(call, now):
        return None
    attempt = _of(call).first()
    if attempt is None:  # it failed and was forgotten just now: this request may try
        return claim(call, now=now)
    if attempt.started_at < now - REMEMBERED_FOR:
        _as_seen(attempt).delete()
        return claim(call, now=now)
    if _is_dead(attempt, call, now):
        return None if _take_over(attempt, now) else claim(call, now=now)
    if attempt.body_sha256 != call.body_sha256:
        raise Mismatch("expected the same body as the first request with this Idempotency-Key")
    if attempt.status is None:
        raise InProgress("the first request with this Idempotency-Key still runs; ask again later")
    return Answer(status=attempt.status, body=attempt.answer, headers=attempt.headers)


def repeated(calls: Collection[Call], *, now: datetime) -> dict[Call, Answer | Problem | None]:
    """Of those whose key is known already, what `claim` says or raises; one query finds them."""
    asked = [_named(call) for call in calls]
    if not asked:
        return {}
    known = set(prepared.rows(KNOWN, list(map(list, zip(*asked, strict=True)))))
    found: dict[Call, Answer | Problem | None] = {}
    for call, named in zip(calls, asked, strict=True):
        if named in known:
            try:
                found[call] = claim(call, now=now)
            except (Mismatch, InProgress) as refusal:
                found[call] = refusal
    return found


def keep_new(kept: Mapping[uuid.UUID, tuple[Call, Answer]], *, now: datetime) -> set[uuid.UUID]:
    """Remember answers together with what they are about; the ids of those whose key was free.

    In the transaction of the writes, and before them: of two at the same moment one waits here for
    the other to commit, in one order whoever they are, so that no two wait for each other.
    """
    ordered = sorted(kept.items(), key=lambda each: _named(each[1][0]))
    rows = [
        {
            "id": str(key),
            "caller": call.caller,
            "route": call.route,
            "key": call.key,
            "body_sha256": call.body_sha256,
            "status": answer.status,
            "headers": answer.headers,
            "answer": answer.body,
        }
        for key, (call, answer) in ordered
    ]
    if not rows:
        return set()
    return {key for (key,) in prepared.rows(NEW, [now, json.dumps(rows)])}


def id_of(call: Call) -> uuid.UUID:
    """The id of the claim, for what the write makes: the same for whoever takes it over."""
    return _of(call).get().id


def keep(call: Call, answer: Answer, *, started_at: datetime) -> None:
    """Remembers the answer, in the transaction of the write where there is one.

    Raises InProgress for a claim that was taken over, so that the write is undone: it is another's.
    """
    kept = _running(call, started_at).update(
        status=answer.status, answer=answer.body, headers=answer.headers
    )
    if not kept:
        raise InProgress("this request took so long that the same one again has taken its place")


def forget(call: Call, *, started_at: datetime) -> None:
    """The write was refused or failed, so nothing happened: the key is free again."""
    _running(call, started_at).delete()


def caller_of(key: str) -> str:
    """How attempts name a person: by the key of their row, which is no name."""
    return f"user:{key}"


def forget_all(naming: str, *, caller: str = "") -> None:
    """Forget every write of a caller, and every answer that names them (`naming`, in its JSON)."""
    said = Attempt.objects.annotate(said=Cast("answer", TextField()))
    said.filter(Q(caller=caller) | Q(said__contains=naming)).delete()


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


def _named(call: Call) -> tuple[str, str, str]:
    return call.caller, call.route, call.key


def _of(call: Call) -> QuerySet[Attempt]:
    return Attempt.objects.filter(caller=call.caller, route=call.route, key=call.key)


def _running(call: Call, started_at: datetime) -> QuerySet[Attempt]:
    return _of(call).filter(started_at=started_at, status=None)


def _as_seen(attempt: Attempt) -> QuerySet[Attempt]:
    """The row, unless it was answered or taken over since we looked."""
    return Attempt.objects.filter(
        pk=attempt.pk, started_at=attempt.started_at, status=attempt.status
    )


def _is_dead(attempt: Attempt, call: Call, now: datetime) -> bool:
    """That it died on its way, and this is the same request again."""
    is_abandoned = attempt.status is None and attempt.started_at < now - ABANDONED_AFTER
    return is_abandoned and attempt.body_sha256 == call.body_sha256


def _take_over(attempt: Attempt, now: datetime) -> bool:
    """Whether it was still what we saw."""
    return _as_seen(attempt).update(started_at=now) == 1

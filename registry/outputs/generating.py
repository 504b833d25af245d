# SPDX-License-Identifier: Apache-2.0
"""Leases requests to the generation program, and takes its texts.

Only tokens with the scope `generation` reach this, which the operator issues. A lease is an id that
is made for it alone; whoever answers under another one, or late, changes nothing.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from assay.signing import watermark
from assay.signing.digests import normalised_text, sha256
from assay.signing.statements import Mark
from registry.accounts.queries import SYSTEM, User
from registry.audit import services as audit

from . import excerpts, marks
from .errors import GenerationFailed, LeaseLost, UnusableText
from .models import Output, State

# Loading a checkpoint and writing 1,024 bytes takes the demonstration's program about ten seconds
# on a busy core; after a minute it is taken for dead.
LEASE_SECONDS = 60
MAX_ATTEMPTS = 3
MAX_REASON_CHARACTERS = 500


def lease(*, holder: User, node: str, now: datetime) -> Output | None:
    """The request that is to be answered next: people's before samples, the oldest first."""
    with transaction.atomic():
        output = (
            _waiting()
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("is_sample", "created_at")
            .first()
        )
        if output is None:
            return None
        output.state = State.LEASED
        output.attempts += 1
        output.lease_id = uuid.uuid4()
        output.lease_holder, output.lease_node = holder, node
        output.lease_expires_at = now + timedelta(seconds=LEASE_SECONDS)
        output.save()
        audit.record(holder.actor, "output.lease", output.subject, _details(output))
    return output


def is_anything_waiting() -> bool:
    """Cheaper than asking for a lease."""
    return _waiting().exists()


def complete(
    lease_id: uuid.UUID, text: str, *, holder: User, now: datetime, mark: Mark | None = None
) -> Output:
    """Take the text of a lease that is still held; the same again (a retry) changes nothing."""
    with transaction.atomic():
        output = leased(lease_id, holder)
        if output.state in {State.GENERATED, State.SIGNED} and output.text == text:
            return output
        check_held(output, now)
        _check_text(output, text)
        marks.check(mark, watermark.SCHEME)
        output.state = State.GENERATED
        output.text = text
        output.mark = None if mark is None else mark.to_json()
        output.pieces = excerpts.pieces(text)
        output.sha256 = sha256(text.encode())
        output.normalised_sha256 = sha256(normalised_text(text).encode())
        output.save()
        record(output, holder)
    return output


def record(output: Output, holder: User) -> None:
    """Say who delivered what, in the caller's transaction."""
    details = {**_details(output), "sha256": output.sha256}
    audit.record(holder.actor, "output.generate", output.subject, details)


def fail(lease_id: uuid.UUID, reason: str, *, holder: User, now: datetime) -> None:
    """The holder cannot answer: another attempt, or the end after the last one."""
    with transaction.atomic():
        output = leased(lease_id, holder)
        check_held(output, now)
        _retry(output, reason[:MAX_REASON_CHARACTERS], actor=holder.actor, now=now)


def requeue_lost(*, now: datetime) -> int:
    """Take back what was leased and not answered in time; returns how many."""
    overdue = Output.objects.filter(state=State.LEASED, lease_expires_at__lte=now)
    return sum(_requeue(pk, now=now) for pk in overdue.values_list("pk", flat=True))


def _requeue(pk: uuid.UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        output = (
            Output.objects.filter(pk=pk, state=State.LEASED, lease_expires_at__lte=now)
            .select_for_update(skip_locked=True)
            .first()
        )
        if output is None:
            return False
        _retry(output, f"no answer within {LEASE_SECONDS} s", actor=SYSTEM, now=now)
    return True


def _retry(output: Output, reason: str, *, actor: str, now: datetime) -> None:
    is_over = output.attempts >= MAX_ATTEMPTS
    output.reason = reason
    output.state = State.FAILED if is_over else State.QUEUED
    if is_over:
        output.failure, output.ended_at = GenerationFailed.code, now
    output.save()
    action = "output.fail" if is_over else "output.requeue"
    audit.record(actor, action, output.subject, {**_details(output), "reason": reason})


def _waiting() -> QuerySet[Output]:
    return Output.objects.filter(state=State.QUEUED)


def leased(lease_id: uuid.UUID, holder: User) -> Output:
    """The output under this lease, locked; unknown and somebody else's are answered alike."""
    output = (
        Output.objects.filter(lease_id=lease_id, lease_holder=holder)
        .select_for_update(of=("self",))
        .first()
    )
    if output is None:
        raise LeaseLost("expected the id of a lease that you hold, found another")
    return output


def check_held(output: Output, now: datetime) -> None:
    """Raises LeaseLost for what was taken back, or is answered already."""
    if output.state != State.LEASED:
        raise LeaseLost(f"expected a leased request, found one that is {output.state}")
    if output.lease_expires_at is None or output.lease_expires_at <= now:
        raise LeaseLost(f"expected an answer within {LEASE_SECONDS} s, found a later one")


def _check_text(output: Output, text: str) -> None:
    sampling = output.sampling or {}
    if "max_new_bytes" not in sampling:
        raise UnusableText(f"expected {output.media_type}, which was asked for, found a text")
    limit, size_bytes = int(sampling["max_new_bytes"]), len(text.encode())
    if size_bytes > limit:
        raise UnusableText(f"expected at most {limit} bytes, found {size_bytes}")
    if "\0" in text:
        raise UnusableText("expected text without NUL, found one")


def _details(output: Output) -> dict[str, object]:
    return {"lease": str(output.lease_id), "node": output.lease_node, "attempt": output.attempts}

# SPDX-License-Identifier: Apache-2.0
"""Takes a batch, and brings it to its signature: every step may be repeated at any moment.

1. The batch is kept with its contents: from here on it is the registry's to sign.
2. The batch's statement is signed and recorded as a pending entry, with the row.
3. The ledger integrates it; the row is signed once a signed tree head includes it.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Sum
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.errors import AssayError, InvalidDocument, SignerError
from assay.signing.statements import SALT_BYTES
from registry.accounts.queries import SYSTEM, Namespace, User
from registry.api.problems import Problem
from registry.audit import services as audit
from registry.authority import services as authority
from registry.authority.errors import NotAMember, is_final
from registry.catalog import queries as catalog
from registry.conduct import standing
from registry.conduct.errors import NotAccepted
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from .. import queries as outputs
from ..errors import NeverSigned
from ..models import MAX_REASON, Batch, State
from . import finding, lines, queries
from .errors import BatchQuotaExceeded
from .lines import Submission
from .trees import Grown

logger = logging.getLogger(__name__)

DAY = timedelta(days=1)
RETRY_TOMORROW_SECONDS = 3600


def take(
    submission: Submission,
    *,
    by: User,
    batch_id: uuid.UUID | None = None,
    within: Collection[str] = (),
) -> tuple[Batch, Grown | None]:
    """Keep a batch, to be signed, with what its proofs are made of.

    An id that was taken under before gives what it gave then, of which that has to be read.

    `within` are the projects of whose checkpoints alone it may be, if any are named. Raises
    OtherProjects, NotAccepted (nothing would be signed), BatchQuotaExceeded.
    """
    if batch_id is not None and (before := Batch.objects.filter(pk=batch_id).first()):
        return before, None
    checkpoint = outputs.published_checkpoint(submission.checkpoint, by, within=within)
    standing.require(by.namespace, checkpoint.conduct)
    salt = secrets.token_bytes(SALT_BYTES)
    batch = Batch(
        id=batch_id or uuid.uuid4(),
        checkpoint=checkpoint,
        caller=by.namespace,
        count=len(submission.contents),
        salt=salt,
        digests=bytes.fromhex("".join(each.sha256 for each in submission.contents)),
        normalised=lines.column([each.normalised or "" for each in submission.contents]),
        media_types=lines.column([each.media_type for each in submission.contents]),
    )
    grown = Grown.of(queries.claim_of(batch), submission.contents, salt)
    batch.root = grown.tree.root.hex()
    with transaction.atomic():
        _check_quota(by, batch.count)
        batch.save(force_insert=True)
        finding.keep(batch, submission.contents)
        details = {"checkpoint": checkpoint.manifest_sha256, "count": batch.count}
        audit.record(by.actor, "batch.assert", batch.subject, details)
    return batch, grown


def advance(batch_id: uuid.UUID) -> None:
    """Bring a batch as far as it can go now; what stays behind is the sweep's."""
    try:
        _sign(batch_id)
        _publish(batch_id)
    except (AssayError, Problem, DatabaseError) as error:
        logger.warning("batch %s waits for its signature: %s", batch_id, error)


def unsigned() -> list[uuid.UUID]:
    """What was taken and is not signed yet."""
    return list(Batch.objects.filter(state=State.GENERATED).values_list("pk", flat=True))


def _check_quota(by: User, count: int) -> None:
    """Under a lock of the caller's own, so that two at the same moment do not both fit."""
    Namespace.objects.select_for_update(no_key=True).get(pk=by.namespace_id)
    recent = Batch.objects.filter(caller=by.namespace, created_at__gt=timezone.now() - DAY)
    found = recent.aggregate(found=Sum("count"))["found"] or 0
    if found + count > settings.BATCH_QUOTA:
        raise BatchQuotaExceeded(
            f"expected at most {settings.BATCH_QUOTA} outputs of {by.username} in batches in a "
            f"day, found {found} and {count} more; ask again tomorrow",
            headers={"Retry-After": str(RETRY_TOMORROW_SECONDS)},
        )


def _sign(batch_id: uuid.UUID) -> None:
    """Step 2. The row is locked, so that of two at the same moment one makes the signature."""
    waiting = queries.batches().filter(pk=batch_id, state=State.GENERATED, statement__isnull=True)
    try:
        if (batch := waiting.first()) is not None:
            under = catalog.conduct_of(batch.checkpoint)
            authority.ensure(Purpose.OUTPUT, batch.caller, under=under)
        with transaction.atomic():
            batch = waiting.select_for_update(skip_locked=True, of=("self",)).first()
            if batch is not None:
                batch.statement = authority.sign(
                    Purpose.OUTPUT, batch.caller, queries.claim_of(batch).statement()
                )
                batch.save(update_fields=["statement"])
    except (NotAccepted, NotAMember) as error:
        _refuse(batch_id, error.code, str(error.detail))
    except (InvalidDocument, SignerError) as error:
        if not is_final(error):
            raise
        _refuse(batch_id, NeverSigned.code, f"it can never be signed: {error}"[:MAX_REASON])


def _publish(batch_id: uuid.UUID) -> None:
    """Step 3."""
    batch = queries.batches().filter(pk=batch_id, state=State.GENERATED).first()
    if batch is None or batch.statement is None:
        return
    if not ledger_queries.is_included(batch.statement):
        ledger.integrate()
    if not ledger_queries.is_included(batch.statement):
        return
    with transaction.atomic():
        rows = Batch.objects.filter(pk=batch_id, state=State.GENERATED)
        if rows.update(state=State.SIGNED, ended_at=timezone.now()):
            details = {"statement": batch.statement.sha256, "count": batch.count}
            audit.record(SYSTEM, "batch.sign", batch.subject, details)


def _refuse(batch_id: uuid.UUID, failure: str, reason: str) -> None:
    """Nothing is signed, now or later: the acceptance was withdrawn, or the signer said never."""
    with transaction.atomic():
        rows = Batch.objects.filter(pk=batch_id, state=State.GENERATED, statement__isnull=True)
        ended = {"state": State.FAILED, "ended_at": timezone.now()}
        if rows.update(**ended, failure=failure, reason=reason[:MAX_REASON]):
            audit.record(SYSTEM, "batch.refuse", f"batch:{batch_id}", {"reason": reason})

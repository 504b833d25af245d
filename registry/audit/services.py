# SPDX-License-Identifier: Apache-2.0
"""Writes an audit row in the caller's transaction, chained to the row before it."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from .chain import EMPTY, GENESIS, digest
from .models import AuditRow


def record(actor: str, action: str, subject: str, details: Mapping[str, object]) -> AuditRow:
    """One row for one change of state; call it last, for its lock is held until the commit.

    `details` is JSON without floats and secrets. Without the change there is no row, and without
    the row no change: both are in the caller's transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "an audit row belongs into the transaction of the change it describes"
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [settings.JOURNAL_LOCK])
    last = AuditRow.objects.order_by("-id").first()
    row = AuditRow(
        at=timezone.now(),
        actor=actor,
        action=action,
        subject=subject,
        details=dict(details),
        previous_sha256=last.sha256 if last else GENESIS,
    )
    row.sha256 = digest(row)
    row.save(force_insert=True)
    return row


def redact(name: str) -> int:
    """Empty the rows that name a person, in the caller's transaction; how many there were.

    Digests stay, and with them the chain: that a row was there, when and of what kind. Whoever
    verifies it counts the redacted ones.
    """
    of_theirs = (f'"user:{name}"', f'"{name}/', f'"{settings.PUBLIC_URL}/{name}"')
    said = Q(actor=f"user:{name}") | Q(details__user=name)
    for subject in (name, f"user:{name}", f"{settings.PUBLIC_URL}/{name}"):
        said |= Q(subject=subject)
    for beginning in (f"{name}/", f"{settings.PUBLIC_URL}/{name}/"):
        said |= Q(subject__startswith=beginning)
    for text in of_theirs:
        said |= Q(said__contains=text)
    rows = AuditRow.objects.annotate(said=Cast("details", TextField())).filter(said)
    found = list(rows.values_list("pk", flat=True))
    return AuditRow.objects.filter(pk__in=found).update(**EMPTY)

# SPDX-License-Identifier: Apache-2.0
"""Writes an audit row in the caller's transaction, chained to the row before it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from psycopg.types.json import Jsonb

from assay.signing.statements import SALT_BYTES
from registry import copying, prepared

from . import subjects
from .chain import EMPTY, GENESIS, Words, digest
from .models import AuditRow

LAST_AND_IDS = """
    SELECT (SELECT sha256 FROM audit_auditrow ORDER BY id DESC LIMIT 1),
           nextval(pg_get_serial_sequence('audit_auditrow', 'id'))
    FROM generate_series(1, %s)
"""
COLUMNS = {
    "id": "int8",
    "at": "timestamptz",
    "actor": "varchar",
    "action": "varchar",
    "subject": "varchar",
    "details": "jsonb",
    "salt": "bytea",
    "previous_sha256": "varchar",
    "sha256": "varchar",
}
# How refusals to sign (registry.authority) said a name until they said none.
REASONS_BEFORE = (" by {}, found none", " acts for {}, found nobody", " node of {} with the key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One change of state: what `record` says of it."""

    actor: str
    action: str
    subject: str
    details: Mapping[str, object]


def record(actor: str, action: str, subject: str, details: Mapping[str, object]) -> None:
    """One row for one change of state; call it last, for its lock is held until the commit.

    `details` is JSON without floats and secrets. Without the change there is no row, and without
    the row no change: both are in the caller's transaction.
    """
    record_all([Act(actor=actor, action=action, subject=subject, details=details)])


def record_all(acts: Sequence[Act]) -> None:
    """The same of many changes that are made together, in as many queries."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "an audit row belongs into the transaction of the change it describes"
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [settings.JOURNAL_LOCK])
    found = prepared.rows(LAST_AND_IDS, [len(acts)])
    last = next((sha256 for sha256, _ in found), None) or GENESIS
    at = timezone.now()
    rows: list[tuple[object, ...]] = []
    for (_, key), act in zip(found, acts, strict=True):
        words = Words(
            at=at,
            actor=act.actor,
            action=act.action,
            subject=act.subject,
            details=dict(act.details),
            salt=secrets.token_bytes(SALT_BYTES),
            previous_sha256=last,
        )
        last = digest(words)
        rows.append((key, *_columns(words), last))
    copying.copy("audit_auditrow", COLUMNS, rows)


def _columns(of: Words) -> tuple[object, ...]:
    """In the order of COLUMNS."""
    said = (of.at, of.actor, of.action, of.subject, Jsonb(of.details))
    return *said, of.salt, of.previous_sha256


def redact(name: str) -> int:
    """Empty the rows that name a person, in the caller's transaction; how many there were.

    Digests stay without their salts, and with them the chain: that a row was there, when and of
    what kind. Whoever verifies it counts the redacted ones.
    """
    rows = AuditRow.objects.annotate(said=Cast("details", TextField()))
    leased = rows.filter(actor=f"user:{name}", action="output.lease")
    leases = list(leased.values_list("details__lease", flat=True))
    naming = _about(name) | _saying(name) | Q(details__lease__in=leases)
    found = list(rows.filter(naming).values_list("pk", flat=True))
    return AuditRow.objects.filter(pk__in=found).update(**EMPTY)


def _about(name: str) -> Q:
    """The person acted, or is what was acted upon; a subject counts only where it is a name."""
    uri = f"{settings.PUBLIC_URL}/{name}"
    path = Q(action__in=subjects.PATHS, subject__startswith=f"{name}/")
    identity = Q(subject=uri) | Q(subject__startswith=f"{uri}/")
    return (
        Q(actor=f"user:{name}")
        | Q(action__in=subjects.NAMES, subject=name)
        | path
        | (Q(action__in=subjects.IDENTITIES) & identity)
    )


def _saying(name: str) -> Q:
    """The details name the person: in a member that holds a name, or in a reason's words."""
    members = Q(details__user=name) | Q(details__caller=name)
    members |= Q(details__project__startswith=f"{name}/")
    members |= Q(said__contains=f'"user:{name}"')
    uri = f'"{settings.PUBLIC_URL}/{name}'
    members |= Q(said__contains=f'{uri}"') | Q(said__contains=f"{uri}/")
    for reason in REASONS_BEFORE:
        members |= Q(said__contains=reason.format(name))
    return members

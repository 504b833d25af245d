# SPDX-License-Identifier: Apache-2.0
"""Audit rows: written with the change or not at all, chained, and never changed."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction

from assay.signing.errors import InvalidDocument
from registry.audit import queries, services
from registry.audit.models import AuditRow


def record(subject: str = "thing") -> AuditRow:
    services.record("system", "thing.change", subject, {"né": [1, None, True, "a\nb"]})
    return AuditRow.objects.latest("pk")


def tamper(sql: str) -> None:
    """As an intruder with the rights of a superuser would: past the triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET session_replication_role = origin")


def test_each_row_is_chained_to_the_one_before(db: None) -> None:
    first, second = record(), record()
    assert first.previous_sha256 == "0" * 64
    assert second.previous_sha256 == first.sha256
    assert queries.verify() == queries.Chain(rows=2, head=second.sha256)


@pytest.mark.parametrize(
    "sql", ["UPDATE audit_auditrow SET actor = 'user:mallory'", "DELETE FROM audit_auditrow"]
)
def test_the_database_refuses_to_change_or_delete_a_row(sql: str, db: None) -> None:
    record()
    with (
        pytest.raises(IntegrityError, match="never changed or deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_details_that_two_machines_could_write_differently_are_refused(db: None) -> None:
    with pytest.raises(InvalidDocument, match="integer"):
        services.record("system", "thing.change", "thing", {"loss": 0.1})
    assert not AuditRow.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_row_without_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="belongs into"):
        record()


def test_no_row_stays_of_a_change_that_was_undone(db: None) -> None:
    with transaction.atomic():
        record()
        transaction.set_rollback(True)
    assert not AuditRow.objects.exists()


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE audit_auditrow SET subject = 'other' WHERE subject = 'b'", "found it changed"),
        ("UPDATE audit_auditrow SET at = at + interval '1 microsecond'", "found it changed"),
        ("UPDATE audit_auditrow SET details = '{}' WHERE subject = 'b'", "found it changed"),
        ("DELETE FROM audit_auditrow WHERE subject = 'b'", "to follow"),
        ("DELETE FROM audit_auditrow WHERE subject = 'a'", "to follow"),
    ],
)
def test_a_changed_or_missing_row_is_found(sql: str, found: str, db: None) -> None:
    for subject in "abc":
        record(subject)
    tamper(sql)
    with pytest.raises(CommandError, match=found):
        call_command("audit", "verify")


def test_the_command_prints_how_many_rows_and_the_last_digest(db: None) -> None:
    row, printed = record(), io.StringIO()
    call_command("audit", "verify", stdout=printed)
    assert printed.getvalue() == f"1 audit rows, chained; the last is sha256:{row.sha256}\n"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_chain() -> None:
    def one(number: int) -> None:
        try:
            with transaction.atomic():
                record(str(number))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(40)))
    assert queries.verify().rows == 40

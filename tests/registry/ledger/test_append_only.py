# SPDX-License-Identifier: Apache-2.0
"""The ledger's tables refuse to be changed, whoever asks."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from registry.ledger import services
from registry.ledger.models import Entry
from tests.registry.ledger.statements import record
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _two_entries(authority: Authority) -> None:
    record(1)
    services.integrate()
    record(2)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_statement SET purpose = 'output'",
        "DELETE FROM ledger_statement",
        "UPDATE ledger_treehead SET size = 9",
        "DELETE FROM ledger_treehead",
        "UPDATE ledger_hash SET digest = '\\x00'",
        "DELETE FROM ledger_hash",
        "UPDATE ledger_entry SET body = '\\x00'",
        "UPDATE ledger_entry SET index = 7 WHERE index = 0",
        "UPDATE ledger_entry SET index = NULL WHERE index = 0",
        "UPDATE ledger_entry SET index = 1, body = '\\x00' WHERE index IS NULL",
        "DELETE FROM ledger_entry WHERE index IS NULL",
    ],
)
def test_a_change_is_refused_by_the_database(change: str) -> None:
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_two_entries_never_have_one_index() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.filter(index__isnull=True).update(index=0)

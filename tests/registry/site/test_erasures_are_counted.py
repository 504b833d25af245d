# SPDX-License-Identifier: Apache-2.0
"""What was emptied is what erasures say that they emptied: nothing else goes unnoticed."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import IntegrityError

from registry.accounts import services as accounts
from registry.audit import queries as audit
from registry.backup import checking
from registry.backup.errors import NotVerified
from registry.catalog import services as catalog
from registry.conduct import services as conduct
from registry.site import erasing
from registry.site.erasing import Erased
from tests.registry.catalog.world import build, texts
from tests.registry.people import invite
from tests.registry.site.leaving import NAME
from tests.running import Authority

BLANK_OTHERS = """
    UPDATE ledger_statement SET payload = ''
    WHERE predicate_type = 'https://assay/dataset/v1' AND payload <> ''
"""
BLANK_NAMELESS = """
    ALTER TABLE ledger_statement DISABLE TRIGGER ledger_statement_change;
    UPDATE ledger_statement SET payload = '' WHERE predicate_type = 'https://assay/conduct/v1';
    ALTER TABLE ledger_statement ENABLE TRIGGER ledger_statement_change
"""
EMPTY_OTHERS = """
    UPDATE audit_auditrow SET actor = '', subject = '', details = '{}', salt = NULL
    WHERE action = 'dataset.add' AND actor <> ''
"""
EMPTY_ERASURES = """
    UPDATE audit_auditrow SET actor = '', subject = '', details = '{}', salt = NULL
    WHERE action = 'person.erase'
"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def erased(authority: Authority, tmp_path: Path) -> Erased:
    """A person with a data set has left; the lab has one too."""
    world = build(invite(), tmp_path / "labs")
    person = accounts.create_user(NAME)
    conduct.accept(world.conduct, person.namespace, person)
    catalog.add_dataset(person.namespace, "his", texts(tmp_path / "his"))
    return erasing.erase(NAME)


def execute(change: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # of rows that this transaction made
        cursor.execute(change)


def test_what_an_erasure_emptied_passes_and_is_told(erased: Erased, authority: Authority) -> None:
    said = StringIO()
    call_command("audit", "verify", stdout=said)
    assert f"chained, {erased.audit_rows} of them emptied by erasures; the last" in said.getvalue()
    assert audit.verify().blanked == erased.statements == 1
    assert checking.check(authority.trust_root).signatures > 0


def test_a_row_that_no_erasure_emptied_is_missed(erased: Erased) -> None:
    execute(EMPTY_OTHERS)
    found = f"expected {erased.audit_rows} emptied rows.*found {erased.audit_rows + 1}"
    with pytest.raises(CommandError, match=found):
        call_command("audit", "verify")


def test_the_row_of_an_erasure_stays(erased: Erased) -> None:
    with pytest.raises(IntegrityError, match="never changed"):
        execute(EMPTY_ERASURES)


def test_a_statement_that_no_erasure_blanked_is_missed(
    erased: Erased, authority: Authority
) -> None:
    execute(BLANK_OTHERS)
    with pytest.raises(NotVerified, match=r"expected 1 statements .* kept no longer.*found 2"):
        checking.check(authority.trust_root)


def test_a_blank_statement_that_names_nobody_does_not_verify(
    erased: Erased, authority: Authority
) -> None:
    execute(BLANK_NAMELESS)
    with pytest.raises(NotVerified, match="expected a statement that is kept"):
        checking.check(authority.trust_root)

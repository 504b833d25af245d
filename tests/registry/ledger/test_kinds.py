# SPDX-License-Identifier: Apache-2.0
"""Entries of either kind, one after the other in one ledger, and entries without a statement."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.entries import EntryKind
from assay.signing.verify import verify_bundle
from registry.ledger import queries, services
from registry.ledger.errors import NotFound
from registry.ledger.models import Entry
from tests.registry.ledger.statements import record
from tests.registry.verifying import basis
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)


def verified(authority: Authority, statement: queries.Statement) -> Bundle:
    bundle = Bundle.parse(queries.bundle(statement).to_json())
    verify_bundle(bundle, basis=basis(authority), purpose=Purpose.CHECKPOINT)
    return bundle


def test_what_was_logged_before_the_kind_was_changed_still_verifies(
    authority: Authority, settings: Settings
) -> None:
    statements = record(1)
    settings.DSSE_ENTRY_KIND = EntryKind.HASHED.value
    statements += record(2)
    services.integrate()
    kinds = [verified(authority, one).kind for one in statements]
    assert kinds == [EntryKind.DSSE, EntryKind.HASHED]


def test_a_statement_is_logged_once_whatever_the_kind(
    authority: Authority, settings: Settings
) -> None:
    (first,) = record(1)
    settings.DSSE_ENTRY_KIND = EntryKind.HASHED.value
    assert record(1) == [first]
    assert Entry.objects.count() == 1


def test_a_body_without_a_statement_is_an_entry_too(authority: Authority) -> None:
    entry = services.log(b"{}")
    assert services.log(b"{}") == entry
    services.integrate()
    assert queries.proof(0).size == 1
    assert bytes(queries.entry(0).body) == b"{}"
    with pytest.raises(NotFound, match="the entry of a statement"):
        queries.statement_at(0)

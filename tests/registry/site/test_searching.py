# SPDX-License-Identifier: Apache-2.0
"""The ledger is searched by who signed: organisations, and people who agreed to be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from registry.accounts import services
from registry.audit.models import AuditRow
from registry.ledger import queries as ledger
from registry.ledger.queries import Statement
from registry.site import pages
from tests.registry.site.test_pages import indexes_of, page
from tests.registry.site.world import Shown, answer_next, ask

API = "/api/v1/ledger/entries"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def signed(shown: Shown) -> Statement:
    """What Alice signed under her pseudonym."""
    ask(shown.checkpoint, by=shown.lab.people.alice)
    statement = answer_next(shown.lab.people.alice).statement
    assert statement is not None
    return ledger.statement(statement.sha256)


def found_by_api(client: Client, signer: str) -> list[int]:
    return [each["index"] for each in client.get(API, {"signer": signer}).json()["results"]]


def agree(shown: Shown, *, is_findable: bool = True) -> None:
    services.set_findable(shown.lab.people.alice, is_findable=is_findable)


def test_what_an_organisation_signed_is_found(shown: Shown, stranger: Client) -> None:
    found = indexes_of(page(stranger, "/ledger?signer=lab"))
    statement = shown.checkpoint.statement
    assert statement is not None
    assert ledger.statement(statement.sha256).entry.index in found
    assert found == sorted(found, reverse=True)
    assert found == found_by_api(stranger, "lab") == found_by_api(stranger, " LAB ")


def test_a_person_is_found_from_when_they_agree_until_they_do_not(
    shown: Shown, signed: Statement, stranger: Client
) -> None:
    for is_findable, expected in ((False, []), (True, [signed.entry.index]), (False, [])):
        agree(shown, is_findable=is_findable)
        assert indexes_of(page(stranger, "/ledger?signer=alice")) == expected
        assert found_by_api(stranger, "alice") == expected


def test_who_did_not_agree_and_who_does_not_exist_answer_alike(
    shown: Shown, signed: Statement, stranger: Client
) -> None:
    answers = []
    for name in ("alice", "nobody"):
        for url in ("/ledger", API):
            with CaptureQueriesContext(connection) as asked:
                answer = stranger.get(url, {"signer": name})
            said = answer.content.decode().replace(name, "NAME")
            said = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", said)
            queries = [re.sub(f"'[^']*{name}[^']*'", "", each["sql"]) for each in asked]
            answers.append((url, answer.status_code, said, queries))
    assert answers[:2] == answers[2:]


def test_a_search_takes_as_many_queries_however_much_it_finds(
    shown: Shown, signed: Statement, stranger: Client
) -> None:
    counts = []
    for is_findable in (False, True):
        agree(shown, is_findable=is_findable)
        with CaptureQueriesContext(connection) as asked:
            stranger.get("/ledger?signer=alice")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 6


def test_a_search_is_leafed_through(
    shown: Shown, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = indexes_of(page(stranger, "/ledger?signer=lab"))
    monkeypatch.setattr(pages, "LEDGER_ROWS", 1)
    first = page(stranger, "/ledger?signer=lab")
    assert indexes_of(first) == everything[:1]
    assert f'href="?signer=lab&before={everything[0]}" rel="next"' in first
    second = page(stranger, f"/ledger?signer=lab&before={everything[0]}")
    assert indexes_of(second) == everything[1:2]


def test_the_api_leafs_by_cursor(shown: Shown, stranger: Client) -> None:
    everything = found_by_api(stranger, "lab")
    first = stranger.get(f"{API}?signer=lab&page_size=1").json()
    second = stranger.get(first["next"]).json()
    assert [each["index"] for each in (*first["results"], *second["results"])] == everything[:2]
    statement = ledger.statement_at(everything[0])
    assert first["results"][0]["statement"] == f"sha256:{statement.sha256}"
    assert first["results"][0]["predicate_type"] == statement.predicate_type


def test_a_search_for_nobody_is_refused_by_the_api(shown: Shown, stranger: Client) -> None:
    answer = stranger.get(API)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert indexes_of(page(stranger, "/ledger?signer=")) == []


@pytest.mark.parametrize("signer", ["x" * 5000, "alice/tiny", "people", "'; --"])
def test_what_is_no_name_finds_nothing(shown: Shown, stranger: Client, signer: str) -> None:
    assert stranger.get("/ledger", {"signer": signer}).status_code == 200
    assert found_by_api(stranger, signer) == []


def test_a_person_agrees_on_their_own_page(shown: Shown, stranger: Client) -> None:
    alice = shown.lab.people.alice
    assert stranger.get("/settings").status_code == 302
    stranger.force_login(alice)
    assert "finds nothing" in page(stranger, "/settings")
    assert stranger.post("/settings", {"findable": "yes"}).headers["Location"] == "/settings"
    assert "You agreed" in page(stranger, "/settings")
    row = AuditRow.objects.order_by("-id")[0]
    assert (row.actor, row.action, row.details) == (
        "user:alice",
        "user.findable",
        {"is_findable": True},
    )
    rows = AuditRow.objects.count()
    stranger.post("/settings", {"findable": "yes"})
    assert AuditRow.objects.count() == rows
    stranger.post("/settings", {"findable": "no"})
    assert "finds nothing" in page(stranger, "/settings")


def test_statements_from_before_are_found_by_their_certificates(
    shown: Shown, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = found_by_api(stranger, "lab")
    migration = import_module("registry.ledger.migrations.0005_statement_subject")
    monkeypatch.setattr(migration, "BATCH", migration.BATCH.replace("LIMIT 5000", "LIMIT 2"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # of rows that this transaction made
        for way in ("DISABLE", "ENABLE"):
            cursor.execute(f"ALTER TABLE ledger_statement {way} TRIGGER ledger_statement_change")
            if way == "DISABLE":
                cursor.execute("UPDATE ledger_statement SET subject = ''")
                assert found_by_api(stranger, "lab") == []
                migration.name(apps, SimpleNamespace(connection=connection))
    assert found_by_api(stranger, "lab") == everything

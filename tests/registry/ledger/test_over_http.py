# SPDX-License-Identifier: Apache-2.0
"""The ledger over HTTP: tree head, entries, bundles that verify, and what is not there."""

from __future__ import annotations

import base64

import pytest
from django.test import Client

from assay.signing import merkle, treehead
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.verify import verify_bundle
from registry.ledger import queries, services, tasks
from registry.ledger.errors import NotFound
from registry.ledger.models import Hash
from tests.registry.ledger.statements import claim, record
from tests.registry.verifying import basis
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_tree_head_is_the_signed_note(authority: Authority, client: Client) -> None:
    record(1)
    tasks.integrate()
    answer = client.get("/ledger/tree-head")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert treehead.verify(answer.content.decode(), authority.trust_root.verifier).size == 1


def test_before_the_first_head_there_is_a_problem(authority: Authority, client: Client) -> None:
    answer = client.get("/ledger/tree-head")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not-found"


def test_an_entry_comes_with_a_proof_that_holds(authority: Authority, client: Client) -> None:
    record(1, 2, 3)
    services.integrate()
    found = client.get("/api/v1/ledger/entries/1").json()
    leaf = merkle.leaf_hash(base64.b64decode(found["body"]))
    assert leaf.hex() == found["leaf_hash"]
    head = treehead.verify(found["tree_head"], authority.trust_root.verifier)
    hashes = tuple(bytes.fromhex(each) for each in found["proof"]["hashes"])
    merkle.verify_inclusion(leaf, found["index"], found["proof"]["tree_size"], hashes, head.root)


@pytest.mark.parametrize("index", [3, 10**15])
def test_an_index_beyond_the_head_is_a_problem(
    authority: Authority, client: Client, index: int
) -> None:
    record(1, 2, 3)
    services.integrate()
    answer = client.get(f"/api/v1/ledger/entries/{index}")
    assert answer.status_code == 404
    assert "expected an index below" in answer.json()["detail"]


def test_a_pending_entry_is_not_shown(authority: Authority, client: Client) -> None:
    record(1)
    services.integrate()
    record(2)
    services._assign()
    assert client.get("/api/v1/ledger/entries/1").status_code == 404


def test_an_index_too_large_for_the_database_is_a_problem(
    authority: Authority, client: Client
) -> None:
    record(1)
    services.integrate()
    assert client.get(f"/api/v1/ledger/entries/{10**30}").status_code == 404


def test_a_bundle_verifies_under_the_trust_root(authority: Authority) -> None:
    first, _ = record(1, 2)
    services.integrate()
    bundle = Bundle.parse(queries.bundle(first).to_json())
    verify_bundle(bundle, basis=basis(authority), purpose=Purpose.CHECKPOINT)
    assert bundle.envelope.payload == claim(1).canonical()


def test_the_entry_page_names_who_signed(authority: Authority, client: Client) -> None:
    record(1)
    services.integrate()
    answer = client.get("/ledger/entries/0")
    assert answer.status_code == 200
    assert "http://localhost:8000/lab" in answer.content.decode()
    assert client.get("/ledger/entries/1").status_code == 404


def test_a_statement_is_found_by_its_digest(authority: Authority) -> None:
    (recorded,) = record(1)
    assert queries.statement(recorded.sha256) == recorded
    with pytest.raises(NotFound, match="digest of a statement"):
        queries.statement("ab" * 32)


def test_nothing_is_proved_before_the_first_head(authority: Authority) -> None:
    record(1)
    for index in (0, -1):
        with pytest.raises(NotFound, match="nothing has been logged"):
            queries.proof(index)
    services.integrate()
    with pytest.raises(NotFound, match="expected an index below"):
        queries.proof(-1)


def test_rows_say_what_they_are(authority: Authority) -> None:
    (recorded,) = record(1)
    assert str(recorded.entry) == "entry pending"
    head = services.integrate()
    assert str(queries.entry(0)) == "entry 0"
    assert str(head) == "tree head 1"
    assert str(recorded).startswith("https://assay/dataset/v1 ")
    assert str(Hash.objects.get()) == "subtree 0/0"

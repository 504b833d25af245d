# SPDX-License-Identifier: Apache-2.0
"""A signed statement in pieces: each is what its name says, and only for those who may see it."""

from __future__ import annotations

import json

import pytest
from cryptography import x509
from django.test import Client
from django.utils import timezone

from assay.signing import timestamps
from assay.signing.bundle import Bundle
from assay.signing.digests import sha256
from assay.signing.keys import verify
from assay.signing.statements import OutputClaim
from assay.signing.statements import Statement as Claim
from registry.catalog import services as catalog
from registry.catalog.services import advancing
from registry.ledger import queries as ledger
from registry.ledger.models import Statement
from registry.ledger.services import integrate
from registry.pool import services as pool
from registry.site.pieces import PIECES
from tests.registry.people import client_of
from tests.registry.pool.world import submission
from tests.registry.site.world import STEP, Shown, answer_next, ask
from tests.running import Authority

pytestmark = pytest.mark.django_db


def url(sha256: str, name: str) -> str:
    return f"/ledger/statements/{sha256}/{name}"


def text_of(statement: Statement) -> str:
    claim = OutputClaim.parse(Claim.parse(bytes(statement.payload)))
    return f"/outputs/{claim.output}/text"


def get(client: Client, sha256: str, name: str) -> bytes:
    answer = client.get(url(sha256, name))
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    return bytes(answer.content)


@pytest.fixture
def statement(shown: Shown) -> str:
    """The digest of what the registry says of the checkpoint."""
    assert shown.checkpoint.statement is not None
    return shown.checkpoint.statement.sha256


def test_the_pieces_belong_together(statement: str, stranger: Client, authority: Authority) -> None:
    pieces = {name: get(stranger, statement, name) for name in PIECES}
    assert sha256(pieces["statement.json"]) == statement
    assert pieces["signed.bin"].endswith(pieces["statement.json"])
    certificate = x509.load_pem_x509_certificate(pieces["certificate.pem"])
    verify(certificate.public_key(), pieces["signature.der"], pieces["signed.bin"])  # type: ignore[arg-type]  # it is on P-256
    intermediate = x509.load_pem_x509_certificate(pieces["intermediate.pem"])
    certificate.verify_directly_issued_by(intermediate)
    root = x509.load_pem_x509_certificate(stranger.get("/.well-known/assay/root.pem").content)
    assert root == authority.trust_root.root
    intermediate.verify_directly_issued_by(root)
    by = timestamps.authority(authority.trust_root.registry)
    stamp, signature = pieces["timestamp.tsr"], pieces["signature.der"]
    timestamps.verify(stamp, data=signature, root=root, authority=by)
    bundle = Bundle.parse(json.loads(pieces["bundle.json"]))
    assert bundle.envelope.payload == pieces["statement.json"]


@pytest.mark.parametrize("name", ["key.pem", "..", "statement.json/x"])
def test_there_is_no_other_piece(statement: str, stranger: Client, name: str) -> None:
    assert stranger.get(url(statement, name)).status_code == 404


def test_an_unknown_statement_is_not_found(shown: Shown, stranger: Client) -> None:
    assert stranger.get(url("0" * 64, "signed.bin")).status_code == 404


@pytest.fixture
def private(shown: Shown) -> Statement:
    """What the registry says of a text that Alice asked for."""
    alice = shown.lab.people.alice
    ask(shown.checkpoint, by=alice)
    statement = answer_next(alice).statement
    assert statement is not None
    return ledger.statement(statement.sha256)


def test_what_was_said_of_an_output_is_for_who_may_see_it(
    shown: Shown, private: Statement, stranger: Client
) -> None:
    path = url(private.sha256, "statement.json")
    assert stranger.get(path).status_code == 404
    stranger.force_login(shown.lab.people.alice)
    assert stranger.get(path).status_code == 200


@pytest.mark.parametrize(
    ("scope", "status"),
    [("read", 200), ("outputs", 200), ("publish", 404), ("node", 404), ("generation", 404)],
)
def test_programs_read_it_with_a_token_for_outputs(
    shown: Shown, private: Statement, stranger: Client, scope: str, status: int
) -> None:
    alice, charlie = (
        client_of(person, scope) for person in (shown.lab.people.alice, shown.lab.people.charlie)
    )
    for path in (url(private.sha256, "statement.json"), text_of(private)):
        assert alice.get(path).status_code == status
        assert charlie.get(path).status_code == 404
        assert stranger.get(path, headers={"Authorization": "Bearer x"}).status_code == 401


def test_the_entry_of_a_private_output_shows_a_stranger_its_proof_alone(
    shown: Shown, private: Statement, stranger: Client
) -> None:
    path = f"/ledger/entries/{private.entry.index}"
    alice = shown.lab.people.alice
    seen = stranger.get(path).content.decode()
    assert private.entry.leaf_hash in seen
    assert "the ledger signed" in seen
    assert alice.namespace.uri not in seen
    assert "predicateType" not in seen
    assert "BEGIN CERTIFICATE" not in seen
    stranger.force_login(alice)
    seen = stranger.get(path).content.decode()
    assert alice.namespace.uri in seen
    assert "predicateType" in seen


def test_what_was_said_of_a_checkpoint_is_everybodys_once_it_is_published(
    shown: Shown, stranger: Client
) -> None:
    node = shown.machine.node
    lease = pool.claim(node, now=timezone.now())
    assert lease is not None
    submitted = pool.Submitted.parse(submission(shown.lab, shown.machine, 2 * STEP))
    checkpoint = pool.submit(lease.id, submitted, by=node.owner, now=timezone.now())
    advancing.sign(checkpoint.pk)
    integrate()  # and the process dies: it is logged, and not published
    checkpoint.refresh_from_db()
    said = (checkpoint.statement, checkpoint.oms_statement, checkpoint.run_statement)
    assert [_reads(stranger, statement) for statement in said] == [(404, False)] * 3
    catalog.advance(checkpoint.pk)
    assert [_reads(stranger, statement) for statement in said] == [(200, True)] * 3


def _reads(stranger: Client, statement: Statement | None) -> tuple[int, bool]:
    """The status of its piece, and whether the page of its entry says what it says."""
    assert statement is not None
    piece = stranger.get(url(statement.sha256, "statement.json"))
    return piece.status_code, "predicateType" in stranger.get(_page_of(statement)).content.decode()


def _page_of(statement: Statement) -> str:
    return f"/ledger/entries/{ledger.statement(statement.sha256).entry.index}"


def test_a_sample_is_for_everybody(shown: Shown, stranger: Client) -> None:
    assert shown.sample.statement is not None
    get(stranger, shown.sample.statement.sha256, "statement.json")


def test_the_policy_is_the_very_bytes_that_statements_name(shown: Shown, stranger: Client) -> None:
    version = shown.lab.version
    assert sha256(stranger.get(f"{version.path}/policy.json").content) == version.sha256
    assert stranger.get("/conduct/none/1.0/policy.json").status_code == 404

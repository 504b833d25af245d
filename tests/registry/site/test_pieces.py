# SPDX-License-Identifier: Apache-2.0
"""A signed statement in pieces: each is what its name says, and only for those who may see it."""

from __future__ import annotations

import json

import pytest
from cryptography import x509
from django.test import Client

from assay.signing import timestamps
from assay.signing.bundle import Bundle
from assay.signing.digests import sha256
from assay.signing.keys import verify
from registry.outputs import services as outputs
from registry.site.pieces import PIECES
from tests.registry.site.world import Shown, answer_next
from tests.running import Authority


def url(sha256: str, name: str) -> str:
    return f"/ledger/statements/{sha256}/{name}"


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
    verify(certificate.public_key(), pieces["signature.der"], pieces["signed.bin"])  # type: ignore[arg-type]
    intermediate = x509.load_pem_x509_certificate(pieces["intermediate.pem"])
    certificate.verify_directly_issued_by(intermediate)
    root = x509.load_pem_x509_certificate(stranger.get("/.well-known/assay/root.pem").content)
    assert root == authority.trust_root.root
    intermediate.verify_directly_issued_by(root)
    timestamps.verify(pieces["timestamp.tsr"], data=pieces["signature.der"], root=root)
    bundle = Bundle.parse(json.loads(pieces["bundle.json"]))
    assert bundle.envelope.payload == pieces["statement.json"]


@pytest.mark.parametrize("name", ["key.pem", "..", "statement.json/x"])
def test_there_is_no_other_piece(statement: str, stranger: Client, name: str) -> None:
    assert stranger.get(url(statement, name)).status_code == 404


def test_an_unknown_statement_is_not_found(shown: Shown, stranger: Client) -> None:
    assert stranger.get(url("0" * 64, "signed.bin")).status_code == 404


def test_what_was_said_of_an_output_is_for_who_may_see_it(shown: Shown, stranger: Client) -> None:
    alice = shown.lab.people.alice
    document = {
        "checkpoint": f"sha256:{shown.checkpoint.manifest_sha256}",
        "prompt": "x",
        "max_new_bytes": 64,
        "temperature": "1",
    }
    outputs.ask(outputs.Request.parse(document), by=alice)
    private = answer_next(alice)
    assert private.statement is not None
    path = url(private.statement.sha256, "statement.json")
    assert stranger.get(path).status_code == 404
    stranger.force_login(alice)
    assert stranger.get(path).status_code == 200


def test_a_sample_is_for_everybody(shown: Shown, stranger: Client) -> None:
    assert shown.sample.statement is not None
    get(stranger, shown.sample.statement.sha256, "statement.json")


def test_the_policy_is_the_very_bytes_that_statements_name(shown: Shown, stranger: Client) -> None:
    version = shown.lab.version
    assert sha256(stranger.get(f"{version.path}/policy.json").content) == version.sha256
    assert stranger.get("/conduct/none/1.0/policy.json").status_code == 404

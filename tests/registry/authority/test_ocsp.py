# SPDX-License-Identifier: Apache-2.0
"""OCSP by the registry's address: good, revoked, unknown, and why there is no answer."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as other
from django.core.cache import cache
from django.test import Client

from assay.signing.certificates import Chain, Purpose
from assay.signing.revocation import Reason
from registry.authority import issuing, responding, revocations
from registry.ledger import services as ledger
from tests.needing import needs
from tests.running import Authority, Live
from tests.signing.signer.worlds import POLICY, output_statement

needs_openssl = needs("openssl")


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    cache.clear()


def issue(authority: Authority, *, listed: bool = True) -> Chain:
    subject = f"{authority.trust_root.registry}/alice"
    chain = ledger.signer().sign(Purpose.OUTPUT, subject, output_statement(), POLICY).chain
    if listed:
        issuing.keep(chain, Purpose.OUTPUT, subject)
    return chain


def question(chain: Chain) -> bytes:
    builder = other.OCSPRequestBuilder()
    builder = builder.add_certificate(chain.leaf, chain.intermediate, hashes.SHA256())
    return builder.build().public_bytes(Encoding.DER)


def ask(client: Client, body: bytes, issuer: str = "output") -> other.OCSPResponse:
    answer = client.post(f"/authority/ocsp/{issuer}", body, content_type="application/ocsp-request")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/ocsp-response")
    return other.load_der_ocsp_response(answer.content)


def test_by_post_and_by_get(db: None, authority: Authority, client: Client) -> None:
    asked = question(issue(authority))
    assert ask(client, asked).certificate_status is other.OCSPCertStatus.GOOD
    path = base64.b64encode(asked).decode()
    answer = client.get(f"/authority/ocsp/output/{path}")
    found = other.load_der_ocsp_response(answer.content)
    assert found.certificate_status is other.OCSPCertStatus.GOOD


def test_what_was_never_listed_is_unknown(db: None, authority: Authority, client: Client) -> None:
    asked = question(issue(authority, listed=False))
    assert ask(client, asked).certificate_status is other.OCSPCertStatus.UNKNOWN


def test_who_asks_the_wrong_way_is_told_so(
    db: None, authority: Authority, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = question(issue(authority))
    assert ask(client, b"x").response_status.name == "MALFORMED_REQUEST"
    assert ask(client, asked, "node").response_status.name == "UNAUTHORIZED"
    assert client.post("/authority/ocsp/alice", asked, content_type="x/y").status_code == 404
    authority.stop()
    try:
        assert ask(client, asked).response_status.name == "TRY_LATER"
    finally:
        authority.start()
    monkeypatch.setattr(responding._Rate, "rate", "1/min")
    assert ask(client, asked).response_status.name == "TRY_LATER"


@needs_openssl
def test_openssl_asks_the_running_registry(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    chain = issue(authority)
    root = authority.trust_root.root
    for name, found in (("leaf", chain.leaf), ("int", chain.intermediate), ("root", root)):
        (tmp_path / f"{name}.pem").write_bytes(found.public_bytes(Encoding.PEM))
    assert "leaf.pem: good" in openssl(live, tmp_path)
    revocations.revoke(f"{chain.leaf.serial_number:x}", Reason.KEY_COMPROMISE)
    said = openssl(live, tmp_path)
    assert "leaf.pem: revoked" in said
    assert "Reason: keyCompromise" in said


def openssl(live: Live, folder: Path) -> str:
    """With a nonce, which the answer must repeat."""
    words = ("-issuer", "int.pem", "-cert", "leaf.pem", "-CAfile", "root.pem")
    more = ("-verify_other", "int.pem", "-url", f"{live.url}/authority/ocsp/output")
    done = subprocess.run(
        ("openssl", "ocsp", *words, *more),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Response verify OK" in done.stderr, done.stderr
    assert "WARNING" not in done.stderr
    return done.stdout

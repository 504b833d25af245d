# SPDX-License-Identifier: Apache-2.0
"""The documents that lead clients here: public, whole, and what our own verifier reads."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.test import Client

from assay.signing import treehead
from assay.signing.certificates import Purpose
from assay.signing.sigstore import TrustedRoot
from tests.issuer import Issuer
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)
WELL_KNOWN = "/.well-known/assay"
HERE = "http://localhost:8000"


def test_the_trusted_root_has_every_part(authority: Authority, client: Client) -> None:
    root = TrustedRoot.parse(client.get(f"{WELL_KNOWN}/trusted_root.json").content)
    (log,), (certificate_log,), (stamps,) = (
        root.logs,
        root.certificate_logs,
        root.timestamp_authorities,
    )
    assert log.log_id == treehead.log_id(authority.trust_root.verifier)
    assert certificate_log.key == authority.trust_root.certificate_log
    assert len(root.authorities) == len(Purpose) - 2
    assert {each.chain[-1] for each in (*root.authorities, stamps)} == {authority.trust_root.root}
    assert len(stamps.chain) == 3


def test_the_name_of_the_log_is_in_its_address(authority: Authority, client: Client) -> None:
    """sigstore-js finds a log's key by that; the id is what every client looks for."""
    (log,) = client.get(f"{WELL_KNOWN}/trusted_root.json").json()["tlogs"]
    assert authority.trust_root.origin in log["baseUrl"]


def test_the_trust_config_is_both(authority: Authority, issuer: Issuer, client: Client) -> None:
    found = client.get(f"{WELL_KNOWN}/trust_config.json").json()
    assert found["trustedRoot"] == client.get(f"{WELL_KNOWN}/trusted_root.json").json()
    services = client.get(f"{WELL_KNOWN}/signing_config.v0.2.json").json()
    assert found["signingConfig"] == services
    assert [one["url"] for one in services["oidcUrls"]] == [HERE, issuer.url]
    assert services["tsaUrls"][0]["url"] == f"{HERE}/api/v1/timestamp"
    assert services["rekorTlogUrls"][0]["majorApiVersion"] == 2


@pytest.mark.parametrize(
    "path",
    [
        f"{WELL_KNOWN}/trusted_root.json",
        f"{WELL_KNOWN}/signing_config.v0.2.json",
        f"{WELL_KNOWN}/trust_config.json",
        "/.well-known/openid-configuration",
        "/auth/keys",
        "/api/v2/trustBundle",
    ],
)
def test_they_are_for_everybody_and_for_a_while(
    authority: Authority, client: Client, path: str
) -> None:
    answer = client.get(path)
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "public, max-age=300"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert client.post(path).status_code == 405


def test_without_a_signer_there_is_a_problem(authority: Authority, client: Client) -> None:
    authority.stop()
    try:
        answer = client.get(f"{WELL_KNOWN}/trusted_root.json")
        assert (answer.status_code, answer.json()["code"]) == (503, "no-authority")
        assert client.get("/auth/keys").status_code == 503
    finally:
        authority.start()


QUESTION = {
    "artifactHash": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
    "hashAlgorithm": "sha256",
}


@pytest.mark.parametrize("more", [{}, {"certificates": True}, {"nonce": 123456}])
def test_a_timestamp_is_asked_for_in_json_too(
    authority: Authority, client: Client, more: dict[str, object]
) -> None:
    body = json.dumps({**QUESTION, **more})
    answer = client.post("/api/v1/timestamp", body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/timestamp-reply")
    assert hashlib.sha256(b"test").digest() in answer.content


@pytest.mark.parametrize(
    "more",
    [
        {"hashAlgorithm": "md5"},
        {"artifactHash": "AAAA"},
        {"certificates": "yes"},
        {"nonce": -1},
        {"colour": 1},
    ],
)
def test_what_is_no_such_question_is_refused(client: Client, more: dict[str, object]) -> None:
    body = json.dumps({**QUESTION, **more})
    answer = client.post("/api/v1/timestamp", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")

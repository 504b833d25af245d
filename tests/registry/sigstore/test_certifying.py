# SPDX-License-Identifier: Apache-2.0
"""POST /api/v2/signingCert: a certificate of minutes for a token and a key, never for less."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from django.test import Client

from assay.signing import scts
from assay.signing.canonical import base64_decode, base64_text
from assay.signing.certificates import Purpose
from assay.signing.paths import check_signs_code, verify_path
from assay.signing.sigstore.certificate import Identity, verify_identity
from registry.audit.models import AuditRow
from registry.authority.models import Certificate
from registry.ledger.models import Entry
from registry.sigstore import answers
from tests.issuer import Issuer
from tests.registry.sigstore.asking import (
    CERTIFICATES,
    MAIL,
    certificates,
    csr,
    key_alone,
    post,
    token,
)
from tests.running import Authority
from tests.signing.pki import of_no_version

pytestmark = pytest.mark.django_db(transaction=True)
KEY = ec.generate_private_key(ec.SECP256R1())


def test_a_token_and_a_request_get_a_logged_certificate_of_ten_minutes(
    authority: Authority, issuer: Issuer, client: Client
) -> None:
    answer = post(client, CERTIFICATES, csr(KEY), bearer=token(issuer))
    leaf, intermediate, root = certificates(answer)
    at = leaf.not_valid_before_utc
    assert leaf.not_valid_after_utc - at == timedelta(minutes=10)
    assert leaf.public_key() == KEY.public_key()
    assert root == authority.trust_root.root
    verify_path(leaf, [intermediate], anchors=[root], at=at)
    check_signs_code(leaf)
    verify_identity(leaf, Identity(name=MAIL, issuer=issuer.url))
    log = authority.trust_root.certificate_log
    assert scts.verify(leaf, issuer=intermediate, log=log, by=at + timedelta(minutes=10)) >= at
    assert Entry.objects.filter(index=None).count() == 0


def test_a_key_alone_gets_one_too(authority: Authority, issuer: Issuer, client: Client) -> None:
    """As sigstore-js asks: with the token in the body, and a proof that it has the key."""
    for said in (MAIL, "https://example.test/alice"):
        credentials = {"credentials": {"oidcIdentityToken": token(issuer)}}
        answer = post(client, CERTIFICATES, {**credentials, **key_alone(KEY, said)})
        assert certificates(answer)[0].public_key() == KEY.public_key()


def test_it_is_listed_and_written_down(
    authority: Authority, issuer: Issuer, client: Client
) -> None:
    answer = post(client, CERTIFICATES, csr(KEY), bearer=token(issuer))
    serial = f"{certificates(answer)[0].serial_number:x}"
    found = Certificate.objects.get(serial=serial)
    assert (found.purpose, found.subject) == (Purpose.IDENTITY, MAIL)
    assert AuditRow.objects.get(action="identity.certify").details["serial"] == serial


def test_each_request_has_a_certificate_of_its_own(
    authority: Authority, issuer: Issuer, client: Client
) -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    found = [
        certificates(post(client, CERTIFICATES, csr(key), bearer=token(issuer)))[0] for key in keys
    ]
    assert [one.public_key() for one in found] == [key.public_key() for key in keys]
    assert len({one.serial_number for one in found}) == 3


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"aud": "https://other.example"}, 401, "identity-token-refused"),
    ({"exp": 7}, 401, "identity-token-refused"),
    ({"email_verified": False}, 401, "identity-token-refused"),
    ({"email": None}, 401, "identity-token-refused"),
    ({"iss": "https://other.example"}, 401, "issuer-unknown"),
]


def refused(answer: Any) -> tuple[int, str]:  # noqa: ANN401 - a response
    """Status and code of a refusal that stock clients can show."""
    assert answer["Content-Type"] == "application/json"
    found = json.loads(answer.content)
    assert found["detail"] in found["message"]
    return answer.status_code, found["code"]


@pytest.mark.parametrize(("more", "status", "code"), REFUSED)
def test_a_token_that_is_not_good_gets_nothing(
    authority: Authority,
    issuer: Issuer,
    client: Client,
    more: dict[str, Any],
    status: int,
    code: str,
) -> None:
    answer = post(client, CERTIFICATES, csr(KEY), bearer=token(issuer, **more))
    assert refused(answer) == (status, code)
    assert Entry.objects.count() == 0


def test_without_a_token_there_is_nothing(issuer: Issuer, client: Client) -> None:
    assert refused(post(client, CERTIFICATES, csr(KEY))) == (401, "identity-token-refused")


def test_a_key_of_somebody_else_is_not_certified(
    authority: Authority, issuer: Issuer, client: Client
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    stolen = key_alone(KEY, MAIL)
    stolen["publicKeyRequest"]["proofOfPossession"] = key_alone(other, MAIL)["publicKeyRequest"][
        "proofOfPossession"
    ]
    for body in (stolen, key_alone(KEY, "bob@example.test")):
        answer = post(client, CERTIFICATES, body, bearer=token(issuer))
        assert refused(answer) == (400, "no-proof-of-possession")


OTHER = ec.generate_private_key(ec.SECP384R1())


def of_another_version(asked: Any) -> Any:  # noqa: ANN401 - JSON
    pem = base64_decode(asked["certificateSigningRequest"])
    return {"certificateSigningRequest": base64_text(of_no_version(pem))}


WRONG: list[tuple[Any, int, str]] = [
    ({}, 400, "invalid-sigstore-request"),
    ({**csr(KEY), **key_alone(KEY, MAIL)}, 400, "invalid-sigstore-request"),
    ([], 422, "invalid-document"),
    ({"certificateSigningRequest": "AAAA"}, 422, "invalid-document"),
    ({"certificateSigningRequest": base64_text(b"x")}, 422, "invalid-document"),
    (csr(OTHER), 422, "invalid-document"),
    (of_another_version(csr(KEY)), 422, "invalid-document"),
    (key_alone(OTHER, MAIL), 422, "invalid-document"),
    ({"publicKeyRequest": {"publicKey": {"content": "x"}}}, 422, "invalid-document"),
    ({"credentials": {}, **csr(KEY)}, 422, "invalid-document"),
]


@pytest.mark.parametrize(("body", "status", "code"), WRONG)
def test_what_is_no_request_is_refused(
    authority: Authority,
    issuer: Issuer,
    client: Client,
    body: Any,  # noqa: ANN401 - JSON
    status: int,
    code: str,
) -> None:
    assert refused(post(client, CERTIFICATES, body, bearer=token(issuer))) == (status, code)


def test_without_the_signer_there_is_nothing(
    authority: Authority, issuer: Issuer, client: Client
) -> None:
    authority.stop()
    try:
        answer = post(client, CERTIFICATES, csr(KEY), bearer=token(issuer))
        assert refused(answer) == (503, "signer-unavailable")
    finally:
        authority.start()


def test_one_address_is_asked_to_wait(
    authority: Authority, issuer: Issuer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers._Rate, "rate", "1/min")
    cache.clear()
    post(client, CERTIFICATES, {}, bearer="x")
    answer = post(client, CERTIFICATES, csr(KEY), bearer=token(issuer))
    assert refused(answer) == (429, "throttled")
    assert int(answer["Retry-After"]) > 0


def test_who_issues_and_who_is_believed_is_told(
    authority: Authority, issuer: Issuer, client: Client
) -> None:
    ((issuing, root),) = [
        [x509.load_pem_x509_certificate(pem.encode()) for pem in chain["certificates"]]
        for chain in client.get("/api/v2/trustBundle").json()["chains"]
    ]
    issuing.verify_directly_issued_by(root)
    believed = client.get("/api/v2/configuration").json()["issuers"]
    assert [one["issuerUrl"] for one in believed] == ["http://localhost:8000", issuer.url]

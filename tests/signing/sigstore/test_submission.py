# SPDX-License-Identifier: Apache-2.0
"""What clients ask a log to take: both requests, their entries, and what is neither."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import canonical
from assay.signing.canonical import base64_text
from assay.signing.entries import EntryKind
from assay.signing.envelope import PAYLOAD_TYPE
from assay.signing.errors import BadSignature, InvalidDocument
from assay.signing.sigstore.bundle import Signed
from assay.signing.sigstore.submission import Submission
from tests.signing.pki import authority, signer
from tests.signing.sigstore.bundles import entry_body, sha256
from tests.signing.sigstore.instance import FILE, Instance, sign, statement

Made = dict[str, Any]
INSTANCE = Instance()
LEAF = INSTANCE.certificate()
VERIFIER: Made = {
    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
    "x509Certificate": {"rawBytes": base64_text(LEAF.public_bytes(Encoding.DER))},
}
PAE = Signed(payload_type=PAYLOAD_TYPE, payload=statement(), signature=b"").pae()
SIGNATURE, ENVELOPE_SIGNATURE = sign(INSTANCE.signer, FILE), sign(INSTANCE.signer, PAE)


def hashed(**more: Any) -> Made:  # noqa: ANN401 - JSON
    signature = {"content": base64_text(SIGNATURE), "verifier": VERIFIER}
    request = {"digest": base64_text(sha256(FILE)), "signature": signature}
    return {"hashedRekordRequestV002": {**request, **more}}


def dsse(**more: Any) -> Made:  # noqa: ANN401 - JSON
    envelope = {
        "payload": base64_text(statement()),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64_text(ENVELOPE_SIGNATURE), "keyid": ""}],
    }
    return {"dsseRequestV002": {"envelope": envelope, "verifiers": [VERIFIER], **more}}


def parse(request: object) -> Submission:
    return Submission.parse(json.dumps(request).encode())


@pytest.mark.parametrize("kind", EntryKind)
def test_a_signature_over_a_digest_has_one_form(kind: EntryKind) -> None:
    submission = parse(hashed())
    submission.verify()
    expected = entry_body("hashedrekord", "0.0.2", sha256(FILE), SIGNATURE, LEAF)
    assert submission.entry(kind) == expected


def test_an_envelope_has_the_form_that_is_chosen() -> None:
    submission = parse(dsse())
    submission.verify()
    expected = entry_body("hashedrekord", "0.0.2", sha256(PAE), ENVELOPE_SIGNATURE, LEAF)
    assert submission.entry(EntryKind.HASHED) == expected
    whole = dsse()["dsseRequestV002"]["envelope"]
    spec = json.loads(submission.entry(EntryKind.DSSE))["spec"]
    assert spec["payloadHash"]["value"] == hashlib.sha256(statement()).hexdigest()
    assert spec["envelopeHash"]["value"] == hashlib.sha256(canonical.dumps(whole)).hexdigest()


@pytest.mark.parametrize(
    "request_",
    [
        hashed(digest=base64_text(sha256(b"another"))),
        dsse(
            envelope={
                "payload": base64_text(b"{}"),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": base64_text(ENVELOPE_SIGNATURE)}],
            }
        ),
    ],
    ids=["digest", "envelope"],
)
def test_a_signature_over_something_else_is_refused(request_: Made) -> None:
    with pytest.raises(BadSignature):
        parse(request_).verify()


WRONG: list[tuple[object, str]] = [
    ([], "request"),
    ({}, "one of hashedRekordRequestV002 and dsseRequestV002"),
    ({**hashed(), **dsse()}, "one of"),
    (hashed(digest="AAAA"), "32 bytes"),
    (hashed(signature={"content": "AAAA"}), "verifier"),
    (hashed(signature={"content": "", "verifier": VERIFIER}), "content"),
    (dsse(verifiers=[]), "verifiers"),
    (dsse(verifiers=[VERIFIER, VERIFIER]), "exactly one"),
    (dsse(verifiers=[{**VERIFIER, "keyDetails": "PKIX_ED25519"}]), "keyDetails"),
    (dsse(verifiers=[{"keyDetails": "PKIX_ECDSA_P256_SHA_256"}]), "x509Certificate"),
    (dsse(envelope={}), "signatures"),
]


@pytest.mark.parametrize(("request_", "message"), WRONG)
def test_what_is_no_request_is_refused(request_: object, message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        parse(request_)


def test_another_curve_than_p256_is_refused() -> None:
    leaf = signer(authority("root"), key=ec.generate_private_key(ec.SECP384R1()))
    verifier = {**VERIFIER, "x509Certificate": {"rawBytes": base64_text(leaf.der)}}
    with pytest.raises(InvalidDocument, match="P-256"):
        parse(dsse(verifiers=[verifier])).verify()

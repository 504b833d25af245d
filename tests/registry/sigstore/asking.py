# SPDX-License-Identifier: Apache-2.0
"""Short builders of what Sigstore clients send, and a reading of what they get."""

from __future__ import annotations

import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from assay.signing.canonical import base64_text
from assay.signing.digests import sha256
from tests.issuer import Issuer

CERTIFICATES = "/api/v2/signingCert"
ENTRIES = "/api/v2/log/entries"
MAIL = "alice@example.test"
Json = dict[str, Any]


def token(issuer: Issuer, **more: Any) -> str:  # noqa: ANN401 - JSON
    return issuer.token(**{"email": MAIL, "email_verified": True, **more})


def csr(key: ec.EllipticCurvePrivateKey) -> Json:
    """As sigstore-python asks: a request with an empty name."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return {"certificateSigningRequest": base64_text(pem)}


def key_alone(key: ec.EllipticCurvePrivateKey, said: str) -> Json:
    """As sigstore-js asks: the key, and its signature over who the token is about."""
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    proof = key.sign(said.encode(), ec.ECDSA(hashes.SHA256()))
    public = {"algorithm": "ECDSA", "content": pem.decode()}
    return {"publicKeyRequest": {"publicKey": public, "proofOfPossession": base64_text(proof)}}


def post(client: Client, path: str, body: Json, *, bearer: str = "") -> Any:  # noqa: ANN401 - a test response
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def certificates(answer: Any) -> list[x509.Certificate]:  # noqa: ANN401 - a test response
    assert answer.status_code == 200, answer.content
    chain = json.loads(answer.content)["signedCertificateEmbeddedSct"]["chain"]
    return [x509.load_pem_x509_certificate(pem.encode()) for pem in chain["certificates"]]


def hashed(
    key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, data: bytes = b"a file"
) -> Json:
    """A signature over a file, to be logged."""
    digest = bytes.fromhex(sha256(data))
    signature = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    der = certificate.public_bytes(Encoding.DER)
    verifier = {
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        "x509Certificate": {"rawBytes": base64_text(der)},
    }
    signed = {"content": base64_text(signature), "verifier": verifier}
    return {"hashedRekordRequestV002": {"digest": base64_text(digest), "signature": signed}}

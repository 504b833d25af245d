# SPDX-License-Identifier: Apache-2.0
"""Signing without a key of one's own: a new one, certified for minutes for an identity token.

Speaks Fulcio v2, Rekor v2 and RFC 3161 to whatever instance a trust config names; the key is
forgotten afterwards. What comes back is verified before it is given to anybody.
"""

from __future__ import annotations

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, certificates, envelope, timestamps
from ..bundle import MEDIA_TYPE
from ..canonical import base64_text
from ..envelope import Envelope
from ..errors import InvalidDocument
from ..keys import SoftwareKey
from ..sigstore import SigstoreBundle, verify
from ..sigstore.certificate import identity_of
from ..sigstore.config import TrustConfig
from .connecting import connect
from .errors import ClientError, RegistryUnreachable

TIMEOUT_SECONDS = 60.0  # an entry is answered once it is in a signed tree head
MAX_ANSWER_BYTES = 1 << 20
JSON, QUERY = "application/json", "application/timestamp-query"


def sign(payload: bytes, config: TrustConfig, *, token: str, key: SoftwareKey) -> bytes:
    """A Sigstore bundle around an in-toto statement; raises ClientError or VerificationError.

    The key is a new one, for this signature alone.

    1. A certificate for the key and the token.
    2. The signature.
    3. Its timestamp.
    4. Its entry.
    5. The bundle verifies under the config's trusted root.
    """
    leaf = _certificate(config.authority, key, token)  # 1
    signed = envelope.sign(payload, key)  # 2
    stamp = _post(config.timestamps, timestamps.request(signed.signature), QUERY)  # 3
    entry = _entry(config.log, signed, leaf)  # 4
    bundle = canonical.dumps(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "certificate": {"rawBytes": base64_text(leaf.public_bytes(Encoding.DER))},
                "tlogEntries": [entry],
                "timestampVerificationData": {
                    "rfc3161Timestamps": [{"signedTimestamp": base64_text(stamp)}]
                },
            },
            "dsseEnvelope": signed.to_json(),
        }
    )
    verify(SigstoreBundle.parse(bundle), root=config.root, identity=identity_of(leaf))  # 5
    return bundle


def _certificate(url: str, key: SoftwareKey, token: str) -> x509.Certificate:
    csr = x509.load_der_x509_csr(certificates.request(key, subject="sigstore"))
    asked = {"certificateSigningRequest": base64_text(csr.public_bytes(Encoding.PEM))}
    answer = _answer(f"{url}/api/v2/signingCert", asked, token=token)
    try:
        signed = canonical.mapping(answer, "signedCertificateEmbeddedSct")
        chain = canonical.items(canonical.mapping(signed, "chain"), "certificates")
        return x509.load_pem_x509_certificate(str(chain[0]).encode())
    except (InvalidDocument, ValueError, IndexError) as error:
        raise ClientError(f"expected a certificate from {url}, found none: {error}") from error


def _entry(url: str, signed: Envelope, leaf: x509.Certificate) -> canonical.Obj:
    der = base64_text(leaf.public_bytes(Encoding.DER))
    verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": {"rawBytes": der}}
    asked = {"envelope": signed.to_json(), "verifiers": [verifier]}
    return _answer(f"{url}/api/v2/log/entries", {"dsseRequestV002": asked})


def _answer(url: str, asked: canonical.Obj, *, token: str = "") -> canonical.Obj:
    data = _post(url, canonical.dumps(asked), JSON, token=token)
    try:
        value = canonical.loads(data, max_bytes=MAX_ANSWER_BYTES, has_fractions=True)
        return canonical.as_mapping(value, "answer")
    except InvalidDocument as error:
        raise ClientError(f"expected JSON from {url}, found something else: {error}") from error


def _post(url: str, body: bytes, kind: str, *, token: str = "") -> bytes:
    headers = {"Content-Type": kind, "User-Agent": "assay"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    found = bytearray()
    try:
        with (
            connect(url, TIMEOUT_SECONDS) as client,
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            for chunk in answer.iter_bytes():
                found += chunk
                if len(found) > MAX_ANSWER_BYTES:
                    raise ClientError(f"expected at most {MAX_ANSWER_BYTES} bytes, found more")
    except httpx.HTTPError as error:
        raise RegistryUnreachable(f"{url} cannot be reached: {type(error).__name__}") from error
    if not answer.is_success:
        raise ClientError(f"{url}: {_reason(bytes(found))}", status=answer.status_code)
    return bytes(found)


def _reason(body: bytes) -> str:
    """What a refusal says: Sigstore's services write a `message`."""
    try:
        obj = canonical.as_mapping(canonical.loads(body, has_fractions=True), "refusal")
        return canonical.text(obj, "message")[:500]
    except InvalidDocument:
        return "refused without a reason that can be read"

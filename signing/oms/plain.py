# SPDX-License-Identifier: Apache-2.0
"""The plain profile: OMS v1.0 with a key or a certificate, exactly as strict as the specification.

Knows no registry, ledger or purpose; what those add is the registry profile's. The method
`sigstore` is verified in `sigstore`, and its statement read with `manifest`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .. import keys, rfc3161
from ..envelope import PAYLOAD_TYPE, pae
from ..errors import BadEnvelope, BadSignature, KeyUnusable, VerificationError
from ..keys import Sha2, Signer
from ..paths import check_signs_code, check_validity, key_of, verify_path
from .document import Document
from .manifest import ModelManifest, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A model's manifest that verified, and by what."""

    manifest: ModelManifest
    leaf: x509.Certificate | None
    """The certificate that it was signed with; none for the method `key`."""
    at: datetime | None
    """When the certificate had to be valid: a timestamp's time, or the verifier's."""


def sign_with_key(manifest: ModelManifest, key: Signer) -> Document:
    """Sign with a key alone; the hint is what model_signing writes, a digest of the PEM."""
    public = _on_curve(key.public_key)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    payload = manifest.payload()
    hint = hashlib.sha256(pem).hexdigest()
    return Document(payload=payload, signature=key.sign(pae(payload)), hint=hint)


def sign_with_certificate(
    manifest: ModelManifest,
    key: Signer,
    *,
    leaf: x509.Certificate,
    chain: Sequence[x509.Certificate],
    at: datetime,
) -> Document:
    """Sign with a certificate's key; what no verifier could accept at `at` is refused."""
    if _on_curve(key_of(leaf)) != _on_curve(key.public_key):
        raise KeyUnusable("expected the key of the signing certificate, found another")
    check_signs_code(leaf)
    check_validity(leaf, at)
    payload = manifest.payload()
    return Document(payload=payload, signature=key.sign(pae(payload)), chain=(leaf, *chain))


def verify_with_key(document: Document, key: ec.EllipticCurvePublicKey) -> Signed:
    """Check a document of the method `key`, and read what was signed.

    1. It is of that method; the hint is not looked at, as the verifier knows the key.
    2. The key signed the payload, with its curve's hash.
    3. The payload is a statement (`manifest`).
    """
    if document.chain:  # 1
        raise BadEnvelope("expected a model signed with a key, found one with a certificate")
    _check_signature(document, _on_curve(key))  # 2
    return Signed(manifest=parse(document.payload), leaf=None, at=None)  # 3


def verify_with_certificate(
    document: Document, *, anchors: Sequence[x509.Certificate], now: datetime
) -> Signed:
    """Check a document of the method `certificate`, and read what was signed.

    1. It is of that method.
    2. The path holds: when a timestamp under the same anchors says, or else now.
    3. The leaf is for code signing.
    4. The leaf's key signed the payload.
    5. The payload is a statement (`manifest`).
    """
    if not document.chain:  # 1
        raise BadEnvelope("expected a model signed with a certificate, found one with a key")
    leaf, *others = document.chain
    intermediates = [each for each in others if each not in anchors]
    at = _signed_at(document, anchors, now)
    verify_path(leaf, intermediates, anchors=anchors, at=at)  # 2
    check_signs_code(leaf)  # 3
    _check_signature(document, _on_curve(key_of(leaf)))  # 4
    return Signed(manifest=parse(document.payload), leaf=leaf, at=at)  # 5


def _signed_at(document: Document, anchors: Sequence[x509.Certificate], now: datetime) -> datetime:
    """The first time that verifies; a timestamp that does not proves nothing, and harms nothing."""
    for response in document.timestamps:
        try:
            return rfc3161.verify(response, data=document.signature, anchors=anchors).at
        except VerificationError:
            continue
    return now


def _check_signature(document: Document, key: ec.EllipticCurvePublicKey) -> None:
    ours = keys.hash_of(key)
    first = _pae_of_first_releases(document.payload)
    # What model_signing signed before 1.0; the encodings differ in a letter, so none is another's.
    attempts: list[tuple[bytes, Sha2]] = [(first, ours), (first, hashes.SHA256())]
    for data, hash_ in ((pae(document.payload), ours), *attempts):
        try:
            key.verify(document.signature, data, ec.ECDSA(hash_))
        except InvalidSignature:
            continue
        return
    raise BadSignature(
        f"expected a signature by this {keys.curve_of(key)} key over these bytes, found another"
    )


def _pae_of_first_releases(payload: bytes) -> bytes:
    """The encoding of model_signing 0.2: a capital V, and the payload as Python shows bytes."""
    return f"DSSEV1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} {payload!r}".encode()


def _on_curve(key: object) -> ec.EllipticCurvePublicKey:
    """A key of the kinds that OMS knows: P-256, P-384 or P-521 (its algorithm registry)."""
    keys.curve_of(key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyUnusable("expected a P-256, P-384 or P-521 key, found Ed25519")
    return key

# SPDX-License-Identifier: Apache-2.0
"""What a Sigstore client asks a log to take: Rekor v2's CreateEntryRequest, and the entry for it.

A signature over a digest, or a whole envelope; either with the certificate of who signed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from .. import canonical, certificates, entries
from ..canonical import Obj, base64_text
from ..entries import KEY_DETAILS, EntryKind
from ..errors import BadSignature, InvalidDocument
from ..paths import key_of
from .bundle import Signed, read_envelope

MAX_REQUEST_BYTES = 1 << 20
DIGEST_BYTES = 32
HASHED_REQUEST, DSSE_REQUEST = "hashedRekordRequestV002", "dsseRequestV002"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A signature that is to be logged. Parsing checks the form; `verify` checks the signature."""

    certificate: x509.Certificate
    signature: bytes
    digest: bytes
    """The SHA-256 of what was signed: of a file, or of an envelope's PAE."""
    envelope: Signed | None = None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the JSON form."""
        value = canonical.loads(data, max_bytes=MAX_REQUEST_BYTES, has_fractions=True)
        obj = canonical.as_mapping(value, "request")
        given = [name for name in (HASHED_REQUEST, DSSE_REQUEST) if obj.get(name) is not None]
        match given:
            case ["hashedRekordRequestV002"]:
                return cls._of_digest(canonical.mapping(obj, HASHED_REQUEST))
            case ["dsseRequestV002"]:
                return cls._of_envelope(canonical.mapping(obj, DSSE_REQUEST))
            case _:
                expected = f"one of {HASHED_REQUEST} and {DSSE_REQUEST}"
                raise InvalidDocument("request", expected, str(len(given)))

    @classmethod
    def _of_digest(cls, obj: Obj) -> Self:
        with canonical.within(HASHED_REQUEST):
            digest = canonical.base64_bytes(obj, "digest")
            if len(digest) != DIGEST_BYTES:
                raise InvalidDocument("digest", f"{DIGEST_BYTES} bytes", str(len(digest)))
            signature = canonical.mapping(obj, "signature")
            with canonical.within("signature"):
                return cls(
                    certificate=_certificate(canonical.mapping(signature, "verifier")),
                    signature=canonical.base64_bytes(signature, "content"),
                    digest=digest,
                )

    @classmethod
    def _of_envelope(cls, obj: Obj) -> Self:
        with canonical.within(DSSE_REQUEST):
            verifiers = canonical.items(obj, "verifiers")
            if len(verifiers) != 1:
                raise InvalidDocument("verifiers", "exactly one", str(len(verifiers)))
            envelope = read_envelope(canonical.mapping(obj, "envelope"))
            return cls(
                certificate=_certificate(canonical.as_mapping(verifiers[0], "verifiers")),
                signature=envelope.signature,
                digest=hashlib.sha256(envelope.pae()).digest(),
                envelope=envelope,
            )

    def verify(self) -> None:
        """Raise `BadSignature` unless the certificate's key signed this digest."""
        key = key_of(self.certificate)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise InvalidDocument("verifier", "a certificate with a P-256 key", "another")
        try:
            key.verify(self.signature, self.digest, ec.ECDSA(Prehashed(SHA256())))
        except InvalidSignature as error:
            raise BadSignature(
                "expected a signature over this digest by this certificate's key, found another"
            ) from error

    def entry(self, kind: EntryKind) -> bytes:
        """The body to log. Without its envelope a signature has one form, whatever is asked for."""
        if self.envelope is not None and kind is EntryKind.DSSE:
            return entries.dsse(
                envelope=canonical.dumps(_canonical(self.envelope)),
                payload=self.envelope.payload,
                signature=self.signature,
                certificate=self.certificate,
            )
        return entries.hashed(
            digest=self.digest, signature=self.signature, certificate=self.certificate
        )


def _certificate(verifier: Obj) -> x509.Certificate:
    with canonical.within("verifier"):
        canonical.literal(verifier, "keyDetails", KEY_DETAILS)
        obj = canonical.mapping(verifier, "x509Certificate")
        return certificates.load("rawBytes", canonical.base64_bytes(obj, "rawBytes"))


def _canonical(envelope: Signed) -> Obj:
    return {
        "payload": base64_text(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [{"keyid": "", "sig": base64_text(envelope.signature)}],
    }

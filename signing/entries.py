# SPDX-License-Identifier: Apache-2.0
"""Ledger entries in the forms that Sigstore clients read: canonical bodies of Rekor's.

`dsse/0.0.1` is read by every client in use; `hashedrekord/0.0.2`, over the digest of what is
signed, is the one that Rekor v2 keeps. Which one a registry writes is its operator's choice;
readers read both (docs/spec/sigstore.md).
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from . import canonical
from .canonical import Obj, base64_text
from .digests import sha256
from .errors import InvalidDocument

KEY_DETAILS = "PKIX_ECDSA_P256_SHA_256"  # protobuf-specs: the one kind of key that we certify
REMEMBERED = 64  # certificates: most entries are by few signers, and each names its own whole

# The canonical bytes of fixed forms, whose values need no escape: hexadecimal and base64.
_DSSE = (
    '{"apiVersion":"0.0.1","kind":"dsse","spec":{'
    '"envelopeHash":{"algorithm":"sha256","value":"%s"},'
    '"payloadHash":{"algorithm":"sha256","value":"%s"},'
    '"signatures":[{"signature":"%s","verifier":"%s"}]}}'
)
_HASHED = (
    '{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{'
    '"data":{"algorithm":"SHA2_256","digest":"%s"},'
    '"signature":{"content":"%s","verifier":{'
    f'"keyDetails":"{KEY_DETAILS}",'
    '"x509Certificate":{"rawBytes":"%s"}}}}}}'
)


class EntryKind(StrEnum):
    """The form of an entry, as `kind/version`."""

    DSSE = "dsse/0.0.1"
    HASHED = "hashedrekord/0.0.2"

    @classmethod
    def parse(cls, obj: Obj) -> EntryKind:
        """Read a `kindVersion`."""
        canonical.only(obj, "kind", "version")
        found = f"{canonical.text(obj, 'kind')}/{canonical.text(obj, 'version')}"
        for kind in cls:
            if found == kind.value:
                return kind
        raise InvalidDocument("kindVersion", " or ".join(cls), ascii(found[:80]))

    def to_json(self) -> dict[str, object]:
        """As a `kindVersion`."""
        kind, _, version = self.value.partition("/")
        return {"kind": kind, "version": version}


def dsse(*, envelope: bytes, payload: bytes, signature: bytes, certificate: Certificate) -> bytes:
    """The body for an envelope: over its payload, and over the whole in its canonical bytes."""
    verifier = _base64_of(certificate, Encoding.PEM)
    values = (sha256(envelope), sha256(payload), base64_text(signature), verifier)
    return (_DSSE % values).encode()


def hashed(*, digest: bytes, signature: bytes, certificate: Certificate) -> bytes:
    """The body for a signature over a SHA-256: a file's, or that of an envelope's PAE."""
    verifier = _base64_of(certificate, Encoding.DER)
    return (_HASHED % (base64_text(digest), base64_text(signature), verifier)).encode()


def kind_of(body: bytes) -> EntryKind:
    """The form of an entry of ours, which is canonical: its first members say it."""
    for kind, start in _STARTS.items():
        if body.startswith(start):
            return kind
    obj = canonical.as_mapping(canonical.loads(body), "entry")
    stated = {"kind": obj.get("kind"), "version": obj.get("apiVersion")}
    return EntryKind.parse(stated)


_STARTS = {
    EntryKind.DSSE: _DSSE.partition(',"spec"')[0].encode(),
    EntryKind.HASHED: _HASHED.partition(',"spec"')[0].encode(),
}


@lru_cache(maxsize=REMEMBERED)
def _base64_of(certificate: Certificate, encoding: Encoding) -> str:
    return base64_text(certificate.public_bytes(encoding))

# SPDX-License-Identifier: Apache-2.0
"""Ledger entries in the forms that Sigstore clients read: canonical bodies of Rekor's.

`dsse/0.0.1` is read by every client in use; `hashedrekord/0.0.2`, over the digest of what is
signed, is the one that Rekor v2 keeps. Which one a registry writes is its operator's choice;
readers read both (docs/spec/sigstore.md).
"""

from __future__ import annotations

from enum import StrEnum

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from . import canonical
from .canonical import Obj, base64_text
from .digests import sha256
from .errors import InvalidDocument

KEY_DETAILS = "PKIX_ECDSA_P256_SHA_256"  # protobuf-specs: the one kind of key that we certify


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


def dsse(*, envelope: Obj, payload: bytes, signature: bytes, certificate: Certificate) -> bytes:
    """The body for an envelope: over its payload, and over the whole in its canonical bytes."""
    verifier = certificate.public_bytes(Encoding.PEM)
    spec = {
        "envelopeHash": _hexadecimal(canonical.dumps(envelope)),
        "payloadHash": _hexadecimal(payload),
        "signatures": [
            {"signature": base64_text(signature), "verifier": base64_text(verifier)},
        ],
    }
    return canonical.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})


def hashed(*, digest: bytes, signature: bytes, certificate: Certificate) -> bytes:
    """The body for a signature over a SHA-256: a file's, or that of an envelope's PAE."""
    der = certificate.public_bytes(Encoding.DER)
    verifier = {
        "keyDetails": KEY_DETAILS,
        "x509Certificate": {"rawBytes": base64_text(der)},
    }
    inner = {
        "data": {"algorithm": "SHA2_256", "digest": base64_text(digest)},
        "signature": {"content": base64_text(signature), "verifier": verifier},
    }
    spec = {"hashedRekordV002": inner}
    return canonical.dumps({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec})


def kind_of(body: bytes) -> EntryKind:
    """The form of an entry of ours."""
    obj = canonical.as_mapping(canonical.loads(body), "entry")
    stated = {"kind": obj.get("kind"), "version": obj.get("apiVersion")}
    return EntryKind.parse(stated)


def _hexadecimal(data: bytes) -> dict[str, object]:
    return {"algorithm": "sha256", "value": sha256(data)}

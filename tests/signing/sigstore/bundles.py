# SPDX-License-Identifier: Apache-2.0
"""Bundles that a private Sigstore makes, in every form that its entries have."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import canonical
from assay.signing.bundle import MEDIA_TYPE
from assay.signing.canonical import base64_text
from assay.signing.sigstore import Identity, SigstoreBundle, TrustedRoot, Verification, verify
from assay.signing.sigstore.bundle import Signed
from tests.signing.sigstore.instance import (
    FILE,
    ISSUER,
    NAME,
    PAYLOAD_TYPE,
    Instance,
    sign,
    statement,
)

KINDS = (
    ("hashedrekord", "0.0.1"),
    ("hashedrekord", "0.0.2"),
    ("dsse", "0.0.1"),
    ("dsse", "0.0.2"),
    ("intoto", "0.0.2"),
)
ALICE = Identity(name=NAME, issuer=ISSUER)
Made = dict[str, Any]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def envelope(instance: Instance, kind: str, version: str, **parts: Any) -> Made:  # noqa: ANN401 - JSON
    """A bundle around a statement; `parts` replace the certificate, payload or entry body."""
    payload: bytes = parts.get("payload", statement())
    leaf: x509.Certificate = parts.get("certificate") or instance.certificate()
    kind_of_payload: str = parts.get("payload_type", PAYLOAD_TYPE)
    pae = Signed(payload_type=kind_of_payload, payload=payload, signature=b"").pae()
    signature = sign(instance.signer, pae)
    digest = sha256(pae if kind == "hashedrekord" else payload)
    body = parts.get("body") or entry_body(kind, version, digest, signature, leaf)
    content = {
        "payload": base64_text(payload),
        "payloadType": kind_of_payload,
        "signatures": [{"sig": base64_text(signature), "keyid": ""}],
    }
    return _bundle(instance, leaf, {"dsseEnvelope": content}, (kind, version, body), signature)


def message(instance: Instance, version: str = "0.0.1", file: bytes = FILE) -> Made:
    """A bundle around the digest of a file."""
    leaf = instance.certificate()
    signature = sign(instance.signer, file)
    stated = {"algorithm": "SHA2_256", "digest": base64_text(sha256(file))}
    body = entry_body("hashedrekord", version, sha256(file), signature, leaf)
    content = {"messageDigest": stated, "signature": base64_text(signature)}
    entry = ("hashedrekord", version, body)
    return _bundle(instance, leaf, {"messageSignature": content}, entry, signature)


def entry_body(
    kind: str, version: str, digest: bytes, signature: bytes, leaf: x509.Certificate
) -> bytes:
    """What Rekor writes."""
    pem = base64_text(leaf.public_bytes(Encoding.PEM))
    der = {"rawBytes": base64_text(leaf.public_bytes(Encoding.DER))}
    verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": der}
    sig = base64_text(signature)
    hexed = {"algorithm": "sha256", "value": digest.hex()}
    encoded = {"algorithm": "SHA2_256", "digest": base64_text(digest)}
    twice = base64.b64encode(sig.encode()).decode()
    specs: dict[tuple[str, str], Made] = {
        ("hashedrekord", "0.0.1"): {
            "data": {"hash": hexed},
            "signature": {"content": sig, "publicKey": {"content": pem}},
        },
        ("hashedrekord", "0.0.2"): {
            "hashedRekordV002": {
                "data": encoded,
                "signature": {"content": sig, "verifier": verifier},
            }
        },
        ("dsse", "0.0.1"): {
            "envelopeHash": hexed,
            "payloadHash": hexed,
            "signatures": [{"signature": sig, "verifier": pem}],
        },
        ("dsse", "0.0.2"): {
            "dsseV002": {
                "payloadHash": encoded,
                "signatures": [{"content": sig, "verifier": verifier}],
            }
        },
        ("intoto", "0.0.2"): {
            "content": {
                "envelope": {"signatures": [{"publicKey": pem, "sig": twice}]},
                "payloadHash": hexed,
            }
        },
    }
    spec = specs.get((kind, version), {})
    return canonical.dumps({"apiVersion": version, "kind": kind, "spec": spec})


def _bundle(
    instance: Instance,
    leaf: x509.Certificate,
    content: Made,
    entry: tuple[str, str, bytes],
    signature: bytes,
) -> Made:
    der = base64_text(leaf.public_bytes(Encoding.DER))
    stamp = {"signedTimestamp": base64_text(instance.stamp(signature))}
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {
            "certificate": {"rawBytes": der},
            "tlogEntries": [instance.log(*entry)],
            "timestampVerificationData": {"rfc3161Timestamps": [stamp]},
        },
        **content,
    }


def judge(
    made: Made, instance: Instance, *, root: Made | None = None, identity: Identity = ALICE
) -> Verification:
    """Verify a bundle over the file."""
    trusted = TrustedRoot.parse(json.dumps(root or instance.trusted_root()).encode())
    bundle = SigstoreBundle.parse(json.dumps(made).encode())
    return verify(bundle, root=trusted, identity=identity, sha256=sha256(FILE))

# SPDX-License-Identifier: Apache-2.0
"""A private Sigstore in memory: Fulcio, a certificate log, a timestamp authority, Rekor 1 and 2.

Every part does what it is told, so that a test can have one that lies.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing import canonical, merkle
from assay.signing.canonical import base64_text
from assay.signing.provenance import ISSUER_V1, ISSUER_V2
from tests.signing.pki import (
    AT,
    TIME_STAMPING,
    Holder,
    Period,
    authority,
    ec_key,
    issued,
    signer,
    usage,
)
from tests.signing.stamps import Stamp

LogKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
NAME = "alice@example.test"
ISSUER = "https://accounts.example.test"
ORIGIN = "rekor.example.test"
FILE = b"weights"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MINUTES = Period(start=AT - timedelta(minutes=1), end=AT + timedelta(minutes=9))
SCT_LIST = x509.PrecertificateSignedCertificateTimestamps.oid


def spki(key: LogKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def log_id(key: LogKey) -> bytes:
    return hashlib.sha256(spki(key)).digest()


def sign(key: LogKey, data: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ec.ECDSA(SHA256()))


@dataclass(slots=True, kw_only=True)
class Instance:
    """Everybody's keys."""

    root: Holder = field(default_factory=lambda: authority("root"))
    fulcio: Holder = field(init=False)
    tsa: Holder = field(init=False)
    rekor: LogKey = field(default_factory=ec_key)
    ct: ec.EllipticCurvePrivateKey = field(default_factory=ec_key)
    signer: ec.EllipticCurvePrivateKey = field(default_factory=ec_key)
    entries: list[bytes] = field(default_factory=lambda: [merkle.leaf_hash(b"first")])

    def __post_init__(self) -> None:
        self.fulcio = authority("fulcio", self.root)
        self.tsa = signer(self.root, purposes=[TIME_STAMPING])

    def trusted_root(self, **periods: Mapping[str, str]) -> dict[str, Any]:
        """The JSON form; `periods` replace those of the parts they name."""
        since = {"start": (AT - timedelta(days=1)).isoformat()}

        def log(name: str, key: LogKey) -> dict[str, Any]:
            public = {"rawBytes": base64_text(spki(key)), "validFor": periods.get(name, since)}
            is_edwards = isinstance(key, ed25519.Ed25519PrivateKey)
            public["keyDetails"] = "PKIX_ED25519" if is_edwards else "PKIX_ECDSA_P256_SHA_256"
            return {
                "baseUrl": "https://log.example.test",
                "hashAlgorithm": "SHA2_256",
                "publicKey": public,
                "logId": {"keyId": base64_text(log_id(key))},
            }

        def chain(name: str, *holders: Holder) -> dict[str, Any]:
            found = [{"rawBytes": base64_text(each.der)} for each in holders]
            return {
                "subject": {"organization": "example.test", "commonName": name},
                "uri": "https://example.test",
                "certChain": {"certificates": found},
                "validFor": periods.get(name, since),
            }

        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log("tlog", self.rekor)],
            "ctlogs": [log("ctlog", self.ct)],
            "certificateAuthorities": [chain("fulcio", self.fulcio, self.root)],
            "timestampAuthorities": [chain("tsa", self.tsa, self.root)],
        }

    def certificate(
        self,
        *,
        period: Period = MINUTES,
        name: x509.GeneralName | None = None,
        issuers: Mapping[x509.ObjectIdentifier, bytes] | None = None,
        purpose: x509.ObjectIdentifier = x509.oid.ExtendedKeyUsageOID.CODE_SIGNING,
        sct: bytes | None = None,
        at: datetime = AT,
    ) -> x509.Certificate:
        """A leaf with its certificate timestamp, as Fulcio issues them."""
        stated = issuers
        if stated is None:
            stated = {ISSUER_V1: ISSUER.encode(), ISSUER_V2: core.UTF8String(ISSUER).dump()}
        names = x509.SubjectAlternativeName([name or x509.RFC822Name(NAME)])
        more: list[tuple[x509.ExtensionType, bool]] = [
            (usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([purpose]), False),
            (names, False),
            *((x509.UnrecognizedExtension(oid, value), False) for oid, value in stated.items()),
        ]

        def issue(listed: bytes) -> x509.Certificate:
            inner = core.OctetString(listed).dump()
            last = (x509.UnrecognizedExtension(SCT_LIST, inner), False)
            return issued(
                "leaf", self.fulcio, period=period, key=self.signer, more=[*more, last], serial=7
            ).certificate

        if sct is None:
            sct = self.sct(issue(self.sct_list(bytes(72), at)), at)
        return issue(sct)

    def sct(self, draft: x509.Certificate, at: datetime) -> bytes:
        """The list with the one timestamp over a certificate that has room for it."""
        body = draft.tbs_precertificate_bytes
        issuer = self.fulcio.key.public_key()
        der = issuer.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        signed = struct.pack("!BBQH", 0, 0, int(at.timestamp() * 1000), 1)
        signed += hashlib.sha256(der).digest() + struct.pack("!I", len(body))[1:] + body + b"\0\0"
        return self.sct_list(sign(self.ct, signed), at)

    def sct_list(self, signature: bytes, at: datetime, *, hash_id: int = 4) -> bytes:
        milliseconds = int(at.timestamp() * 1000)
        sct = struct.pack("!B32sQH", 0, log_id(self.ct), milliseconds, 0)
        sct += struct.pack("!BBH", hash_id, 3, len(signature)) + signature
        return struct.pack("!HH", len(sct) + 2, len(sct)) + sct

    def stamp(self, signature: bytes, *, at: datetime = AT) -> bytes:
        return Stamp(holder=self.tsa, data=signature, at=at, certificates=[]).response()

    def log(self, kind: str, version: str, body: bytes, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Append an entry, and prove it."""
        self.entries.append(merkle.leaf_hash(body))
        index, size = len(self.entries) - 1, len(self.entries)
        stored = merkle.new_subtrees(0, self.entries, lambda *_: b"")
        root = merkle.root_from(size, lambda level, position: stored[level, position])
        hashes = merkle.inclusion_proof(index, size, lambda level, at: stored[level, at])
        return {
            "logIndex": str(index),
            "logId": {"keyId": base64_text(log_id(self.rekor))},
            "kindVersion": {"kind": kind, "version": version},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": base64_text(root),
                "treeSize": str(size),
                "hashes": [base64_text(each) for each in hashes],
                "checkpoint": {"envelope": self.note(size, root)},
            },
            "canonicalizedBody": base64_text(body),
            **more,
        }

    def note(self, size: int, root: bytes) -> str:
        body = f"{ORIGIN} - 42\n{size}\n{base64_text(root)}\nTimestamp: 1\n"
        signature = base64_text(log_id(self.rekor)[:4] + sign(self.rekor, body.encode()))
        return f"{body}\n— {ORIGIN} {signature}\n— witness.test AAAAAAAA\n"

    def promise(self, entry: dict[str, Any], *, at: datetime = AT) -> dict[str, Any]:
        """The entry with Rekor 1's promise and the time in it."""
        seconds = int(at.timestamp())
        stated = {
            "body": entry["canonicalizedBody"],
            "integratedTime": seconds,
            "logID": log_id(self.rekor).hex(),
            "logIndex": int(entry["logIndex"]),
        }
        signature = base64_text(sign(self.rekor, canonical.dumps(stated)))
        promise = {"inclusionPromise": {"signedEntryTimestamp": signature}}
        return {**entry, "integratedTime": str(seconds), **promise}


def statement(file: bytes = FILE) -> bytes:
    """An in-toto statement about a file."""
    subject = {"name": "weights", "digest": {"sha256": hashlib.sha256(file).hexdigest()}}
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://example.test/v1",
        "predicate": {},
    }
    return json.dumps(value).encode()

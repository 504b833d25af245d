# SPDX-License-Identifier: Apache-2.0
"""One signed statement with its certificates, timestamp and ledger proof: a Sigstore bundle v0.3.

Parsing checks the form alone. The ledger entry is kept as the bundle states it, so that `verify`
can say in which step a bundle fails that was put together from the parts of two.
"""

from __future__ import annotations

import hashlib
import re
from typing import Self

from cryptography.x509 import Certificate

from . import canonical, entries, treehead
from .canonical import Obj, base64_text
from .certificates import Chain
from .entries import EntryKind
from .envelope import Envelope, pae
from .errors import InvalidDocument
from .merkle import HASH_BYTES
from .values import dataclass

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_PROOF_HASHES = 64
_U64 = re.compile(r"0|[1-9][0-9]{0,15}")  # protobuf's JSON writes these as strings


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerProof:
    """Where an entry stands in which ledger, and the hashes that lead to a signed tree head."""

    log_id: bytes
    index: int
    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    note: str

    @classmethod
    def of(cls, index: int, hashes: tuple[bytes, ...], *, note: str, verifier: str) -> Self:
        """The proof under one signed tree head of the ledger with this C2SP verifier key."""
        head = treehead.parse(note)
        log_id = treehead.log_id(verifier)
        return cls(
            log_id=log_id, index=index, size=head.size, root=head.root, hashes=hashes, note=note
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that a verifier needs for one statement, but for the root it trusts."""

    envelope: Envelope
    chain: Chain
    timestamp: bytes
    """A TimeStampResp over the envelope's signature bytes."""
    proof: LedgerProof
    entry: bytes = b""
    """The ledger entry as stated; if none is given, the one that belongs to the envelope."""
    kind: EntryKind = EntryKind.DSSE
    """The form that the entry is stated to have."""

    def __post_init__(self) -> None:
        if not self.entry:
            leaf = ledger_leaf(self.envelope, self.chain.leaf, self.kind)
            object.__setattr__(self, "entry", leaf)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON form (docs/spec/formats.md, section 5)."""
        obj = canonical.as_mapping(value, "bundle")
        canonical.only(obj, "mediaType", "verificationMaterial", "dsseEnvelope")
        canonical.literal(obj, "mediaType", MEDIA_TYPE)
        with canonical.within("dsseEnvelope"):
            envelope = Envelope.parse(canonical.mapping(obj, "dsseEnvelope"))
        material = canonical.mapping(obj, "verificationMaterial")
        with canonical.within("verificationMaterial"):
            canonical.only(
                material, "x509CertificateChain", "tlogEntries", "timestampVerificationData"
            )
            timestamps = canonical.mapping(material, "timestampVerificationData")
            entry = _one(material, "tlogEntries")
            return cls(
                envelope=envelope,
                chain=_parse_chain(canonical.mapping(material, "x509CertificateChain")),
                timestamp=_parse_timestamp(timestamps),
                proof=_parse_proof(entry),
                entry=canonical.base64_bytes(entry, "canonicalizedBody"),
                kind=EntryKind.parse(canonical.mapping(entry, "kindVersion")),
            )

    def to_json(self) -> dict[str, object]:
        """The JSON form, before canonicalisation."""
        certificates = [{"rawBytes": base64_text(der)} for der in self.chain.to_der()]
        return self._wrapped({"x509CertificateChain": {"certificates": certificates}})

    def to_sigstore_json(self) -> dict[str, object]:
        """The same for clients of Sigstore: the leaf alone, as their trusted root has the rest."""
        return self._wrapped({"certificate": {"rawBytes": base64_text(self.chain.to_der()[0])}})

    def _wrapped(self, signer: dict[str, object]) -> dict[str, object]:
        timestamp = {"signedTimestamp": base64_text(self.timestamp)}
        return {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                **signer,
                "tlogEntries": [entry_json(self.proof, self.entry, self.kind)],
                "timestampVerificationData": {"rfc3161Timestamps": [timestamp]},
            },
            "dsseEnvelope": self.envelope.to_json(),
        }


def entry_json(proof: LedgerProof, entry: bytes, kind: EntryKind) -> dict[str, object]:
    """An entry with its proof, as Sigstore's TransparencyLogEntry."""
    return {
        "logIndex": str(proof.index),
        "logId": {"keyId": base64_text(proof.log_id)},
        "kindVersion": kind.to_json(),
        "inclusionProof": {
            "logIndex": str(proof.index),
            "rootHash": base64_text(proof.root),
            "treeSize": str(proof.size),
            "hashes": [base64_text(digest) for digest in proof.hashes],
            "checkpoint": {"envelope": proof.note},
        },
        "canonicalizedBody": base64_text(entry),
    }


def ledger_leaf(
    envelope: Envelope, leaf_certificate: Certificate, kind: EntryKind = EntryKind.DSSE
) -> bytes:
    """The ledger entry that belongs to an envelope: Rekor's canonical body of this form."""
    match kind:
        case EntryKind.DSSE:
            return entries.dsse(
                envelope=envelope.canonical(),
                payload=envelope.payload,
                signature=envelope.signature,
                certificate=leaf_certificate,
            )
        case EntryKind.HASHED:
            digest = hashlib.sha256(pae(envelope.payload)).digest()
            return entries.hashed(
                digest=digest, signature=envelope.signature, certificate=leaf_certificate
            )


def _parse_chain(obj: Obj) -> Chain:
    with canonical.within("x509CertificateChain"):
        canonical.only(obj, "certificates")
        ders: list[bytes] = []
        for value in canonical.items(obj, "certificates"):
            certificate = canonical.as_mapping(value, "certificates")
            canonical.only(certificate, "rawBytes")
            ders.append(canonical.base64_bytes(certificate, "rawBytes"))
        return Chain.parse(ders)


def _parse_timestamp(obj: Obj) -> bytes:
    with canonical.within("timestampVerificationData"):
        canonical.only(obj, "rfc3161Timestamps")
        timestamp = _one(obj, "rfc3161Timestamps")
        canonical.only(timestamp, "signedTimestamp")
        return canonical.base64_bytes(timestamp, "signedTimestamp")


def _parse_proof(entry: Obj) -> LedgerProof:
    with canonical.within("tlogEntries[0]"):
        canonical.only(
            entry, "logIndex", "logId", "kindVersion", "inclusionProof", "canonicalizedBody"
        )
        log_id = canonical.mapping(entry, "logId")
        canonical.only(log_id, "keyId")
        proof = canonical.mapping(entry, "inclusionProof")
        with canonical.within("inclusionProof"):
            canonical.only(proof, "logIndex", "rootHash", "treeSize", "hashes", "checkpoint")
            index = _u64(proof, "logIndex")
            note = canonical.mapping(proof, "checkpoint")
            canonical.only(note, "envelope")
            hashes = canonical.items(proof, "hashes", maximum=MAX_PROOF_HASHES)
            parsed = LedgerProof(
                log_id=_hash(log_id, "keyId"),
                index=index,
                size=_u64(proof, "treeSize"),
                root=_hash(proof, "rootHash"),
                hashes=tuple(_hash({"hashes": digest}, "hashes") for digest in hashes),
                note=canonical.text(note, "envelope", max_characters=treehead.MAX_NOTE_CHARACTERS),
            )
        if _u64(entry, "logIndex") != index:
            raise InvalidDocument("logIndex", f"{index}, as in the inclusion proof", "another")
        return parsed


def _one(obj: Obj, field: str) -> Obj:
    found = canonical.items(obj, field)
    if len(found) != 1:
        raise InvalidDocument(field, "exactly one", str(len(found)))
    return canonical.as_mapping(found[0], field)


def _u64(obj: Obj, field: str) -> int:
    value = canonical.text(obj, field)
    if not _U64.fullmatch(value) or int(value) > canonical.MAX_INTEGER:
        raise InvalidDocument(field, "an integer, written as a string", ascii(value[:80]))
    return int(value)


def _hash(obj: Obj, field: str) -> bytes:
    value = canonical.base64_bytes(obj, field)
    if len(value) != HASH_BYTES:
        raise InvalidDocument(field, f"{HASH_BYTES} bytes", str(len(value)))
    return value

# SPDX-License-Identifier: Apache-2.0
"""A Sigstore bundle v0.3 as others write it: form alone, nothing is trusted yet.

One certificate, exactly one log entry, timestamps if there are any, and what was signed: a DSSE
envelope, or the digest of a file. In protobuf's JSON absent, null and the default are one, and a
field that the format does not know is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography import x509

from .. import canonical, certificates
from ..bundle import MAX_PROOF_HASHES, MEDIA_TYPE
from ..canonical import Obj
from ..errors import InvalidDocument
from ..merkle import HASH_BYTES
from ..treehead import MAX_NOTE_CHARACTERS

MEDIA_TYPES = (MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3")
MAX_BUNDLE_BYTES = 96 << 20
MAX_TIMESTAMPS = 8
LAST_SECOND = 253_402_300_799  # of the year 9999: later ones are no time here
_INTEGER = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A DSSE envelope with its one signature."""

    payload_type: str
    payload: bytes
    signature: bytes

    def pae(self) -> bytes:
        """The bytes that are signed (DSSE v1)."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A signature over a file, and the file's SHA-256 if it is stated."""

    digest: bytes | None
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That an entry is in a tree whose head the log signed."""

    index: int
    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a transparency log."""

    log_id: bytes
    index: int
    """Among all trees of the log; the proof has the one in its tree."""
    kind: tuple[str, str]
    """Kind and version."""
    body: bytes
    proof: Proof
    integrated_at: int
    """Seconds since 1970, if the log says so; else 0. Only the promise makes it worth anything."""
    promise: bytes
    """The log's signature over time, index and body; empty if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigstoreBundle:
    """A bundle of the keyless kind."""

    certificate: x509.Certificate
    content: Signed | Message
    entry: Entry
    timestamps: tuple[bytes, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a bundle's JSON."""
        value = canonical.loads(data, max_bytes=MAX_BUNDLE_BYTES, has_fractions=True)
        obj = canonical.as_mapping(value, "bundle")
        _only(obj, "mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature")
        if canonical.text(obj, "mediaType") not in MEDIA_TYPES:
            raise InvalidDocument("mediaType", MEDIA_TYPE, "another")
        content = _content(obj)
        material = canonical.mapping(obj, "verificationMaterial")
        with canonical.within("verificationMaterial"):
            _only(material, "certificate", "tlogEntries", "timestampVerificationData")
            certificate = canonical.mapping(material, "certificate")
            _only(certificate, "rawBytes")
            der = canonical.base64_bytes(certificate, "rawBytes")
            entries = _items(material, "tlogEntries")
            if len(entries) != 1:
                raise InvalidDocument("tlogEntries", "exactly one", str(len(entries)))
            return cls(
                certificate=certificates.load("certificate", der),
                content=content,
                entry=_entry(canonical.as_mapping(entries[0], "tlogEntries")),
                timestamps=_timestamps(material),
            )


def _content(obj: Obj) -> Signed | Message:
    given = [name for name in ("dsseEnvelope", "messageSignature") if obj.get(name) is not None]
    match given:
        case ["dsseEnvelope"]:
            return read_envelope(canonical.mapping(obj, "dsseEnvelope"))
        case ["messageSignature"]:
            return _message(canonical.mapping(obj, "messageSignature"))
        case _:
            raise InvalidDocument("content", "a dsseEnvelope or a messageSignature", str(given))


def read_envelope(obj: Obj) -> Signed:
    """A DSSE envelope with exactly one signature."""
    _only(obj, "payload", "payloadType", "signatures")
    signatures = canonical.items(obj, "signatures")
    if len(signatures) != 1:
        raise InvalidDocument("signatures", "exactly one", str(len(signatures)))
    signature = canonical.as_mapping(signatures[0], "signatures")
    _only(signature, "sig", "keyid")
    if not isinstance(signature.get("keyid"), str | None):  # any: the certificate says whose key
        raise InvalidDocument("keyid", "a string", "something else")
    return Signed(
        payload_type=canonical.text(obj, "payloadType"),
        payload=canonical.base64_bytes(obj, "payload"),
        signature=canonical.base64_bytes(signature, "sig"),
    )


def _message(obj: Obj) -> Message:
    digest: bytes | None = None
    _only(obj, "messageDigest", "signature")
    if obj.get("messageDigest") is not None:
        stated = canonical.mapping(obj, "messageDigest")
        _only(stated, "algorithm", "digest")
        canonical.literal(stated, "algorithm", "SHA2_256")
        digest = canonical.base64_bytes(stated, "digest")
    return Message(digest=digest, signature=canonical.base64_bytes(obj, "signature"))


def _entry(obj: Obj) -> Entry:
    with canonical.within("tlogEntries[0]"):
        _only(
            obj,
            *("logIndex", "logId", "kindVersion", "integratedTime"),
            *("inclusionPromise", "inclusionProof", "canonicalizedBody"),
        )
        log_id = canonical.mapping(obj, "logId")
        _only(log_id, "keyId")
        kind = canonical.mapping(obj, "kindVersion")
        _only(kind, "kind", "version")
        promise = obj.get("inclusionPromise")
        proof = canonical.mapping(obj, "inclusionProof")
        with canonical.within("inclusionProof"):
            found = _proof(proof)
        return Entry(
            log_id=canonical.base64_bytes(log_id, "keyId"),
            index=_integer(obj, "logIndex"),
            kind=(canonical.text(kind, "kind"), canonical.text(kind, "version")),
            body=canonical.base64_bytes(obj, "canonicalizedBody"),
            proof=found,
            integrated_at=_seconds(obj, "integratedTime"),
            promise=b"" if promise is None else _promise(promise),
        )


def _promise(value: object) -> bytes:
    obj = canonical.as_mapping(value, "inclusionPromise")
    _only(obj, "signedEntryTimestamp")
    return canonical.base64_bytes(obj, "signedEntryTimestamp")


def _proof(obj: Obj) -> Proof:
    _only(obj, "logIndex", "rootHash", "treeSize", "hashes", "checkpoint")
    hashes = _items(obj, "hashes", maximum=MAX_PROOF_HASHES)
    note = canonical.mapping(obj, "checkpoint")
    _only(note, "envelope")
    return Proof(
        index=_integer(obj, "logIndex"),
        size=_integer(obj, "treeSize"),
        root=_hash({"rootHash": obj.get("rootHash")}, "rootHash"),
        hashes=tuple(_hash({"hashes": value}, "hashes") for value in hashes),
        note=canonical.text(note, "envelope", max_characters=MAX_NOTE_CHARACTERS),
    )


def _timestamps(material: Obj) -> tuple[bytes, ...]:
    data = material.get("timestampVerificationData")
    if data is None:
        return ()
    obj = canonical.as_mapping(data, "timestamps")
    _only(obj, "rfc3161Timestamps")
    values = _items(obj, "rfc3161Timestamps", maximum=MAX_TIMESTAMPS)
    found = [canonical.as_mapping(value, "rfc3161Timestamps") for value in values]
    for each in found:
        _only(each, "signedTimestamp")
    stamps = tuple(canonical.base64_bytes(each, "signedTimestamp") for each in found)
    if len(set(stamps)) != len(stamps):
        raise InvalidDocument("rfc3161Timestamps", "each once", "one twice")
    return stamps


def _only(obj: Obj, *fields: str) -> None:
    """Refuse fields that are not the format's: somebody may rely on what nobody here reads."""
    canonical.only({name: value for name, value in obj.items() if value is not None}, *fields)


def _items(obj: Obj, field: str, *, maximum: int = 64) -> Sequence[object]:
    return canonical.items({field: obj.get(field) or ()}, field, maximum=maximum)


def _integer(obj: Obj, field: str) -> int:
    """A 64-bit integer, which protobuf's JSON writes as a string, and leaves out if it is 0."""
    value = obj.get(field)
    if value is None:
        return 0
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        raise InvalidDocument(field, "an integer, written as a string", "something else")
    return int(value)


def _seconds(obj: Obj, field: str) -> int:
    """Since 1970, of a time that can be written."""
    value = _integer(obj, field)
    if value > LAST_SECOND:
        raise InvalidDocument(field, "a time before the year 10000, in seconds", str(value))
    return value


def _hash(obj: Obj, field: str) -> bytes:
    value = canonical.base64_bytes(obj, field)
    if len(value) != HASH_BYTES:
        raise InvalidDocument(field, f"{HASH_BYTES} bytes", str(len(value)))
    return value

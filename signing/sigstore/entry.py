# SPDX-License-Identifier: Apache-2.0
"""The entry in a transparency log: that it is there, and that it states what the bundle holds.

Rekor v1 (ECDSA tree heads, promises) and v2 (Ed25519, timestamps) alike. An entry that states other
things than the bundle is refused even where it is in the log: else the log proves nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, merkle
from ..canonical import Obj, base64_bytes, base64_decode, base64_text
from ..certificates import MALFORMED
from ..errors import BadTreeHead, InvalidDocument, NotInLedger
from ..treehead import KEY_HINT_BYTES, MAX_SIGNATURE_LINES
from .bundle import Entry, Message, Proof, Signed
from .roots import Log

# Origin, size and root; Rekor v1 adds lines of its own (C2SP tlog-checkpoint allows them).
_HEAD = re.compile(r"[^\n]+\n(?P<size>0|[1-9][0-9]{0,15})\n(?P<root>[^\n]+)\n(?:[^\n]+\n)*")
_SIGNATURE = re.compile(r"— \S+ (?P<signature>\S+)")
_HASHES: Mapping[str, str] = {
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "SHA2_256": "sha256",
    "SHA2_384": "sha384",
    "SHA2_512": "sha512",
}
Stated = tuple[str, bytes, bytes, bytes]
"""What an entry states: hash, digest, signature, certificate (DER)."""


def promised_at(entry: Entry, log: Log | None) -> datetime | None:
    """The time at which the log promised the entry; none without a promise that verifies."""
    if not entry.promise:
        return None
    stated = {
        "body": base64_text(entry.body),
        "integratedTime": entry.integrated_at,
        "logID": entry.log_id.hex(),
        "logIndex": entry.index,
    }
    if log is None or not log.signed(entry.promise, canonical.dumps(stated)):
        raise NotInLedger("expected a promise that the log signed, found another")
    return datetime.fromtimestamp(entry.integrated_at, UTC)


def verify_head(proof: Proof, log: Log) -> None:
    """Raise `BadTreeHead` unless the log signed a head of this size and root."""
    body, _, signed = proof.note.partition("\n\n")
    head = _HEAD.fullmatch(body + "\n")
    if head is None:
        raise BadTreeHead("expected origin, size and root, each on its line; found another note")
    *lines, after = signed.split("\n")
    if len(lines) > MAX_SIGNATURE_LINES:
        raise BadTreeHead(f"expected at most {MAX_SIGNATURE_LINES} signatures, found {len(lines)}")
    matches = [_SIGNATURE.fullmatch(line) for line in lines]
    found = [base64_decode(match["signature"]) if match else b"" for match in matches]
    if after or not all(found):  # those of others, too (C2SP signed-note)
        raise BadTreeHead("expected signature lines `— name base64`, found another line")
    hint = log.log_id[:KEY_HINT_BYTES]
    ours = [each[KEY_HINT_BYTES:] for each in found if each.startswith(hint)]
    if not any(log.signed(each, (body + "\n").encode()) for each in ours):
        raise BadTreeHead("expected a tree head that the trusted log signed, found another")
    if (int(head["size"]), base64_decode(head["root"])) != (proof.size, proof.root):
        raise BadTreeHead("expected the tree head of the proof's size and root, found another")


def verify_inclusion(entry: Entry) -> None:
    """Raise `NotInLedger` unless the proof leads from the entry to the tree head's root."""
    proof = entry.proof
    leaf = merkle.leaf_hash(entry.body)
    merkle.verify_inclusion(leaf, proof.index, proof.size, proof.hashes, proof.root)


def verify_body(
    entry: Entry, content: Signed | Message, leaf: x509.Certificate, sha256: bytes
) -> None:
    """Raise `NotInLedger` unless the entry states this signature, by this certificate, over this.

    `sha256` is the file's that a message is about; an envelope has its own bytes.
    """
    try:
        hash_name, digest, signature, der = _stated(entry)
        certificate = x509.load_der_x509_certificate(der)
    except (InvalidDocument, *MALFORMED) as error:
        raise NotInLedger(f"expected an entry of a known form: {error}") from error
    match content:
        case Signed() if entry.kind[0] == "hashedrekord":
            expected = hashlib.new(hash_name, content.pae()).digest()
        case Signed():
            expected = hashlib.new(hash_name, content.payload).digest()
        case Message():
            is_about_file = entry.kind[0] == "hashedrekord" and hash_name == "sha256"
            expected = sha256 if is_about_file else b""
    if (digest, signature) != (expected, content.signature):
        raise NotInLedger("expected an entry over this content and signature, found another")
    if certificate != leaf:
        raise NotInLedger("expected an entry with this certificate, found another")


def _stated(entry: Entry) -> Stated:
    value = canonical.loads(entry.body, has_fractions=True)
    obj = canonical.as_mapping(value, "entry")
    kind, version = entry.kind
    canonical.literal(obj, "kind", kind)
    canonical.literal(obj, "apiVersion", version)
    spec = canonical.mapping(obj, "spec")
    match entry.kind:
        case ("hashedrekord", "0.0.1"):
            return _hashedrekord_v1(spec)
        case ("hashedrekord", "0.0.2"):
            return _hashedrekord_v2(canonical.mapping(spec, "hashedRekordV002"))
        case ("dsse", "0.0.1"):
            return _dsse_v1(spec)
        case ("dsse", "0.0.2"):
            return _dsse_v2(canonical.mapping(spec, "dsseV002"))
        case ("intoto", "0.0.2"):
            return _intoto(canonical.mapping(spec, "content"))
        case _:
            raise InvalidDocument("kind", "a kind that is known", ascii(f"{kind}/{version}"))


def _hashedrekord_v1(spec: Obj) -> Stated:
    signature = canonical.mapping(spec, "signature")
    key = canonical.mapping(signature, "publicKey")
    digest = canonical.mapping(canonical.mapping(spec, "data"), "hash")
    return *_hex(digest), base64_bytes(signature, "content"), _pem(key, "content")


def _hashedrekord_v2(spec: Obj) -> Stated:
    data = canonical.mapping(spec, "data")
    return *_digest(data), *_verified(canonical.mapping(spec, "signature"))


def _dsse_v1(spec: Obj) -> Stated:
    signature = _one(spec, "signatures")
    digest = _hex(canonical.mapping(spec, "payloadHash"))
    return *digest, base64_bytes(signature, "signature"), _pem(signature, "verifier")


def _dsse_v2(spec: Obj) -> Stated:
    return *_digest(canonical.mapping(spec, "payloadHash")), *_verified(_one(spec, "signatures"))


def _intoto(content: Obj) -> Stated:
    """The signature stands in base64 within base64: Rekor's client encoded it once more."""
    signature = _one(canonical.mapping(content, "envelope"), "signatures")
    digest = _hex(canonical.mapping(content, "payloadHash"))
    twice = base64_bytes(signature, "sig").decode("ascii", errors="replace")
    return *digest, base64_bytes({"sig": twice}, "sig"), _pem(signature, "publicKey")


def _one(obj: Obj, field: str) -> Obj:
    found = canonical.items(obj, field)
    if len(found) != 1:
        raise InvalidDocument(field, "exactly one", str(len(found)))
    return canonical.as_mapping(found[0], field)


def _hex(obj: Obj) -> tuple[str, bytes]:
    name, value = canonical.text(obj, "algorithm"), canonical.text(obj, "value")
    return _hash_name(name), bytes.fromhex(value)


def _digest(obj: Obj) -> tuple[str, bytes]:
    name = canonical.text(obj, "algorithm")
    return _hash_name(name), base64_bytes(obj, "digest")


def _hash_name(name: str) -> str:
    if name not in _HASHES:
        raise InvalidDocument("algorithm", "SHA-256, SHA-384 or SHA-512", ascii(name[:80]))
    return _HASHES[name]


def _verified(signature: Obj) -> tuple[bytes, bytes]:
    verifier = canonical.mapping(signature, "verifier")
    certificate = canonical.mapping(verifier, "x509Certificate")
    return base64_bytes(signature, "content"), base64_bytes(certificate, "rawBytes")


def _pem(obj: Obj, field: str) -> bytes:
    certificate = x509.load_pem_x509_certificate(base64_bytes(obj, field))
    return certificate.public_bytes(Encoding.DER)

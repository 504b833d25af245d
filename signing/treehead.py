# SPDX-License-Identifier: Apache-2.0
"""Tree heads: the ledger's size and root as a C2SP signed note, and the keys that verify them.

A note may carry further signature lines, of witnesses; those of unknown keys are ignored, as C2SP
demands (signed-note, tlog-checkpoint). Whether two heads are of one history is left to `merkle`.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import keys
from .canonical import MAX_INTEGER, base64_decode, base64_text
from .errors import BadSignature, BadTreeHead, InvalidDocument, KeyUnusable
from .keys import PublicKey, Signer
from .merkle import HASH_BYTES
from .values import dataclass

MAX_NOTE_CHARACTERS = 64 << 10  # sixteen signatures, each ML-DSA-44
MAX_SIGNATURE_LINES = 16
KEPT = 16  # as verified: each part of an evidence, and each output of one time, has the same
KEY_HINT_BYTES = 4
KEY_BYTES = 32
ED25519 = b"\x01"  # C2SP signed-note: the algorithm of the key

_ORIGIN = re.compile(r"[!-*,-~]{1,255}")  # printable ASCII without space and plus
_BODY = re.compile(r"(?P<origin>.+)\n(?P<size>0|[1-9][0-9]{0,15})\n(?P<root>.+)\n")
# C2SP signed-note: no control characters, and no space (Unicode's White_Space) or plus in a name.
# Spelt out, as languages differ in what their `\s` is.
_SIGNATURE = re.compile(
    r"— (?P<name>[^\x00-\x20+\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+)"
    r" (?P<signature>[A-Za-z0-9+/=]+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """The state of a ledger."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """A ledger's name and public key, as pinned."""

    origin: str
    public_key: ed25519.Ed25519PublicKey

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a C2SP verifier key: `origin+8 hex digits+base64(0x01 and the key)`."""
        origin, _, rest = value.partition("+")
        hint, _, encoded = rest.partition("+")
        material = base64_decode(encoded)
        if material[:1] != ED25519 or len(material) != 1 + KEY_BYTES:
            raise InvalidDocument("verifier", "origin+hint+Ed25519 key", ascii(value[:80]))
        key = ed25519.Ed25519PublicKey.from_public_bytes(material[1:])
        verifier = cls(origin=check_origin(origin), public_key=key)
        if hint != verifier.hint.hex():
            raise InvalidDocument("verifier", f"the hint {verifier.hint.hex()}", ascii(hint[:80]))
        return verifier

    def text(self) -> str:
        """The C2SP verifier key."""
        return f"{self.origin}+{self.hint.hex()}+{base64_text(ED25519 + self._raw)}"

    @property
    def log_id(self) -> bytes:
        """The ledger's id in a Sigstore bundle: SHA-256 over origin, line feed, 0x01 and key."""
        return hashlib.sha256(f"{self.origin}\n".encode() + ED25519 + self._raw).digest()

    @property
    def hint(self) -> bytes:
        """What a signature line says of the key that made it."""
        return self.log_id[:KEY_HINT_BYTES]

    @property
    def _raw(self) -> bytes:
        return self.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def vkey(origin: str, public_key: PublicKey) -> str:
    """The C2SP verifier key of a ledger."""
    return _verifier(origin, public_key).text()


@lru_cache(KEPT)
def log_id(verifier: str) -> bytes:
    """The id in a Sigstore bundle of the ledger with this C2SP verifier key."""
    return Verifier.parse(verifier).log_id


def sign(head: TreeHead, key: Signer) -> str:
    """The signed note of a tree head, by an Ed25519 key."""
    verifier = _verifier(head.origin, key.public_key)
    body = head.body()
    signature = base64_text(verifier.hint + key.sign(body.encode()))
    return f"{body}\n— {head.origin} {signature}\n"


def parse(note: str) -> TreeHead:
    """Read a note without looking at its signatures."""
    return split(note)[0]


def verify(note: str, verifier: str) -> TreeHead:
    """The tree head, if the ledger with this verifier key signed exactly this note's text."""
    return _verified(note, verifier)


@lru_cache(KEPT)
def _verified(note: str, verifier: str) -> TreeHead:
    expected = Verifier.parse(verifier)
    head, signatures = split(note)
    if head.origin != expected.origin:
        raise BadTreeHead(
            f"expected a tree head of {expected.origin}, found one of {head.origin!a}"
        )
    ours = [
        s[KEY_HINT_BYTES:]
        for name, s in signatures
        if (name, s[:KEY_HINT_BYTES]) == (expected.origin, expected.hint)
    ]
    if len(ours) != 1:
        raise BadTreeHead(f"expected one signature by the pinned ledger key, found {len(ours)}")
    try:
        keys.verify(expected.public_key, ours[0], head.body().encode())
    except BadSignature as error:
        raise BadTreeHead("expected a tree head that the pinned ledger key signed") from error
    return head


def _verifier(origin: str, public_key: PublicKey) -> Verifier:
    if not isinstance(public_key, ed25519.Ed25519PublicKey):
        raise KeyUnusable(f"expected an Ed25519 key, found {keys.curve_of(public_key)}")
    return Verifier(origin=check_origin(origin), public_key=public_key)


def check_origin(origin: str) -> str:
    """The name of a ledger or witness, if a note can carry it."""
    if not _ORIGIN.fullmatch(origin):
        raise InvalidDocument(
            "origin", "1 to 255 printable ASCII characters without space and plus", ascii(origin)
        )
    return origin


@lru_cache(KEPT)
def split(note: str) -> tuple[TreeHead, tuple[tuple[str, bytes], ...]]:
    """The tree head, and of each signature line the name and the bytes, key hint first."""
    if len(note) > MAX_NOTE_CHARACTERS:
        raise BadTreeHead(f"expected at most {MAX_NOTE_CHARACTERS} characters, found {len(note)}")
    body, _, signed = note.partition("\n\n")
    fields = _BODY.fullmatch(body + "\n")
    root = base64_decode(fields["root"]) if fields else b""
    if fields is None or len(root) != HASH_BYTES or int(fields["size"]) > MAX_INTEGER:
        raise BadTreeHead("expected origin, size and root, each on its line; found another note")
    head = TreeHead(origin=fields["origin"], size=int(fields["size"]), root=root)
    *lines, after = signed.split("\n")
    if after:
        raise BadTreeHead("expected a note that ends with a line feed, found another")
    if len(lines) > MAX_SIGNATURE_LINES:
        raise BadTreeHead(f"expected at most {MAX_SIGNATURE_LINES} signatures, found {len(lines)}")
    return head, tuple(_signature(line) for line in lines)


def has_witnesses(note: str) -> bool:
    """Whether a note has more lines than the ledger's own."""
    return len(split(note)[1]) > 1


def _signature(line: str) -> tuple[str, bytes]:
    match = _SIGNATURE.fullmatch(line)
    signature = base64_decode(match["signature"]) if match else b""
    if match is None or len(signature) <= KEY_HINT_BYTES:
        raise BadTreeHead("expected signature lines `— name base64`, found another line")
    return match["name"], signature

# SPDX-License-Identifier: Apache-2.0
"""Cosignatures: how a witness says which tree head it saw, and when (C2SP tlog-cosignature).

A witness has seen that each head of a ledger continues the one before. Enough of them make it
impossible to show one history to some and another to others. How many are enough is left to `tlog`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Self, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from . import treehead
from .canonical import base64_decode, base64_text
from .errors import BadTreeHead, InvalidDocument
from .treehead import KEY_HINT_BYTES, TreeHead, Verifier
from .values import dataclass

WitnessKey: TypeAlias = Ed25519PrivateKey | MLDSA44PrivateKey
WitnessPublicKey: TypeAlias = Ed25519PublicKey | MLDSA44PublicKey

# C2SP signed-note: the algorithm of the key, and how long the keys are.
ED25519, ML_DSA_44 = b"\x04", b"\x06"
KEY_BYTES = {ED25519: 32, ML_DSA_44: 1312}
SIGNATURE_BYTES = {ED25519: 64, ML_DSA_44: 2420}
TIME_BYTES = 8
LATEST = 2**63 - 1
UNSAID = 0  # whoever signs this time says that the head is sound, and not when it was seen
KEPT = 256  # lines, as verified: of as many heads and witnesses as most outputs of one time have
SUBTREE_LABEL = b"subtree/v1\n\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness's name and public key, as pinned."""

    name: str
    public_key: WitnessPublicKey

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read a C2SP verifier key: `name+8 hex digits+base64(0x04 or 0x06 and the key)`."""
        name, _, rest = value.partition("+")
        hint, _, encoded = rest.partition("+")
        material = base64_decode(encoded)
        kind = material[:1]
        if kind not in KEY_BYTES or len(material) != 1 + KEY_BYTES[kind]:
            expected = "name+hint+Ed25519 (0x04) or ML-DSA-44 (0x06) key"
            raise InvalidDocument("witness", expected, ascii(value[:80]))
        key: WitnessPublicKey = (
            Ed25519PublicKey.from_public_bytes(material[1:])
            if kind == ED25519
            else MLDSA44PublicKey.from_public_bytes(material[1:])
        )
        witness = cls(name=treehead.check_origin(name), public_key=key)
        if hint != witness.hint.hex():
            raise InvalidDocument("witness", f"the hint {witness.hint.hex()}", ascii(hint[:80]))
        return witness

    def __hash__(self) -> int:  # the library's keys have none
        return hash((self.name, self.key_bytes))

    def text(self) -> str:
        """The C2SP verifier key."""
        return f"{self.name}+{self.hint.hex()}+{base64_text(self.kind + self.key_bytes)}"

    @property
    def kind(self) -> bytes:
        """The algorithm, as C2SP numbers it."""
        return ED25519 if isinstance(self.public_key, Ed25519PublicKey) else ML_DSA_44

    @property
    def key_bytes(self) -> bytes:
        """The public key alone: two witnesses with one key are one witness."""
        return self.public_key.public_bytes_raw()

    @property
    def hint(self) -> bytes:
        """What a signature line says of the key that made it."""
        named = f"{self.name}\n".encode() + self.kind + self.key_bytes
        return hashlib.sha256(named).digest()[:KEY_HINT_BYTES]


def cosign(head: TreeHead, key: WitnessKey, *, name: str, at: int) -> str:
    """The signature line of a witness that saw this head; `at` is in seconds since 1970."""
    witness = Witness(name=treehead.check_origin(name), public_key=key.public_key())
    signed = struct.pack(">Q", at) + key.sign(_message(head, witness, at))
    return f"— {name} {base64_text(witness.hint + signed)}\n"


@lru_cache(KEPT)
def verify(note: str, witness: Witness) -> int | None:
    """When this witness saw the note's tree head, or UNSAID; None if it says nothing of it.

    Raises BadTreeHead if it is named and did not sign this: then the note is a forgery (C2SP
    signed-note, Signatures). Of several, the first in time counts: since then the head is known.
    """
    head, lines = treehead.split(note)
    wanted = (witness.name, witness.hint)
    found = [line for name, line in lines if (name, line[:KEY_HINT_BYTES]) == wanted]
    times = [_verify(head, line[KEY_HINT_BYTES:], witness) for line in found]
    return min([at for at in times if at != UNSAID] or times, default=None)


def verify_every(note: str, verifier: str, witnesses: Iterable[Witness]) -> None:
    """Each line below the head is the ledger's, or one by which one of these witnesses signed it.

    Raises BadTreeHead. For notes that come with the keys of all who signed them: by itself a note
    may have lines of anybody, and those of unknown keys say nothing (C2SP signed-note).
    """
    _verify_every(note, verifier, tuple(witnesses))


@lru_cache(KEPT)
def _verify_every(note: str, verifier: str, witnesses: tuple[Witness, ...]) -> None:
    ledger = Verifier.parse(verifier)
    known = {(each.name, each.hint): each for each in witnesses}
    named = {(ledger.origin, ledger.hint), *known}
    _, lines = treehead.split(note)
    for name, line in lines:
        if (name, line[:KEY_HINT_BYTES]) not in named:
            expected = "expected lines of the ledger and of the witnesses named beside it"
            raise BadTreeHead(f"{expected}, found one of {name!a}")
    for witness in known.values():
        verify(note, witness)


def only(note: str, lines: str, witness: Witness) -> str:
    """Of a witness's answer the lines by which it cosigned the note; BadTreeHead if none does."""
    each = lines.splitlines(keepends=True)
    ours = "".join(line for line in each if verify(note + line, witness) is not None)
    if not ours:
        raise BadTreeHead(f"expected a cosignature of {witness.name}, found none")
    return ours


def _verify(head: TreeHead, signed: bytes, witness: Witness) -> int:
    at = int.from_bytes(signed[:TIME_BYTES], "big")
    if len(signed) != TIME_BYTES + SIGNATURE_BYTES[witness.kind] or at > LATEST:
        raise BadTreeHead(f"expected a time and a signature of {witness.name}, found other bytes")
    try:
        witness.public_key.verify(signed[TIME_BYTES:], _message(head, witness, at))
    except InvalidSignature as error:
        raise BadTreeHead(f"expected a tree head that {witness.name} cosigned") from error
    return at


def _message(head: TreeHead, witness: Witness, at: int) -> bytes:
    """What is signed: by Ed25519 a text, by ML-DSA-44 a structure that names the signer too."""
    if witness.kind == ED25519:
        return f"cosignature/v1\ntime {at}\n{head.body()}".encode()
    name, origin = witness.name.encode(), head.origin.encode()
    return b"".join(
        (
            SUBTREE_LABEL,
            struct.pack(">B", len(name)) + name,
            struct.pack(">Q", at),
            struct.pack(">B", len(origin)) + origin,
            struct.pack(">QQ", 0, head.size),
            head.root,
        )
    )

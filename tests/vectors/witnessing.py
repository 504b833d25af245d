# SPDX-License-Identifier: Apache-2.0
"""Vectors for witnesses: cosignatures, and what ledgers show to somebody who looks again and again.

All keys are made from fixed seeds, and Ed25519 is deterministic: the same bytes come out each time.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.signing import cosignatures, treehead
from assay.signing.canonical import base64_decode, base64_text
from assay.signing.cosignatures import Witness
from assay.signing.keys import SoftwareKey
from assay.signing.treehead import TreeHead
from tests.signing.witness.ledgers import Ledger

ORIGIN, NAME, AT = "registry.test/ledger", "browser/0123456789abcdef", 1_763_000_000
# RFC 8032, 7.1, TEST 1: a key whose public half is known beforehand.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
LEDGER = SoftwareKey(private=Ed25519PrivateKey.from_private_bytes(bytes(32)))
STRANGER = SoftwareKey(private=Ed25519PrivateKey.from_private_bytes(bytes([1] * 32)))
WITNESS = Ed25519PrivateKey.from_private_bytes(SEED)
BODIES = [b"%d" % number for number in range(300)]
HISTORIES = {
    "honest": Ledger(BODIES),
    "forked": Ledger([*BODIES[:2], b"other", *BODIES[3:]]),
}
SIZES = (0, 1, 2, 3, 5, 200, 256, 257, 300)

# Who looks, at which history's head (files of that history too, unless named), finds what size of
# it; and what they conclude. "stale": a beginning of what was seen, which proves nothing.
Look = tuple[str, int, str] | tuple[str, int, str, str]
LOOKS: dict[str, tuple[Look, ...]] = {
    "it grows from nothing": (
        ("honest", 0, "seen"),
        ("honest", 1, "seen"),
        ("honest", 2, "seen"),
        ("honest", 5, "seen"),
        ("honest", 200, "seen"),
        ("honest", 256, "seen"),
        ("honest", 257, "seen"),
        ("honest", 300, "seen"),
    ),
    "the same head again": (("honest", 5, "seen"), ("honest", 5, "same")),
    "an older head is no contradiction": (
        ("honest", 200, "seen"),
        ("honest", 5, "stale"),
        ("honest", 0, "stale"),
        ("honest", 300, "seen"),
    ),
    "an older head past a full tile": (("honest", 300, "seen"), ("honest", 256, "stale")),
    "smaller, and of another history": (
        ("honest", 200, "seen"),
        ("forked", 5, "ledger-forked", "honest"),
    ),
    "smaller, and before the histories part": (
        ("honest", 200, "seen"),
        ("forked", 2, "stale", "honest"),
    ),
    "of the same size another root": (("honest", 5, "seen"), ("forked", 5, "ledger-forked")),
    "it grew from another history": (("honest", 5, "seen"), ("forked", 200, "ledger-forked")),
    "another history past a full tile": (
        ("honest", 257, "seen"),
        ("forked", 300, "ledger-forked"),
    ),
    "a fork after what was seen is none": (("honest", 2, "seen"), ("forked", 200, "seen")),
}


def witnessing_vectors() -> dict[str, object]:
    """Everything in witnessing.json."""
    return {
        "source": "C2SP tlog-cosignature, tlog-tiles; RFC 8032, 7.1, TEST 1 (the witness's key)",
        "ledger": treehead.vkey(ORIGIN, LEDGER.public_key),
        "witness": {
            "seed": SEED.hex(),
            "verifier": Witness(name=NAME, public_key=WITNESS.public_key()).text(),
        },
        "cosignatures": _cosignatures(),
        "files": {name: _files(ledger) for name, ledger in HISTORIES.items()},
        "heads": {
            name: {str(size): _note(ledger, size) for size in SIZES}
            for name, ledger in HISTORIES.items()
        },
        "looks": [
            {
                "why": why,
                "steps": [_step(*step) for step in steps],
            }
            for why, steps in LOOKS.items()
        ],
        "not_signed": _note(HISTORIES["honest"], 5, STRANGER),
    }


def _step(head: str, size: int, finds: str, files: str | None = None) -> dict[str, object]:
    return {"files": files or head, "head": head, "size": size, "finds": finds}


def _cosignatures() -> dict[str, object]:
    head = treehead.parse(_note(HISTORIES["honest"], 5))
    note = treehead.sign(head, LEDGER)
    line = cosignatures.cosign(head, WITNESS, name=NAME, at=AT)
    later = cosignatures.cosign(head, WITNESS, name=NAME, at=AT + 9)
    unsaid = cosignatures.cosign(head, WITNESS, name=NAME, at=0)
    other = TreeHead(origin=ORIGIN, size=6, root=head.root)
    elsewhere = cosignatures.cosign(head, WITNESS, name="browser/elsewhere", at=AT)
    return {
        "note": note,
        "at": AT,
        "line": line,
        "accepted": [
            {"note": note, "at": None},
            {"note": note + elsewhere, "at": None},
            {"note": note + line, "at": AT},
            {"note": note + later + line + unsaid, "at": AT},
            {"note": note + unsaid, "at": 0},
        ],
        "refused": [
            {
                "why": "of another head",
                "note": note + cosignatures.cosign(other, WITNESS, name=NAME, at=AT),
            },
            {"why": "a byte is missing", "note": note + _shortened(line)},
        ],
    }


def _shortened(line: str) -> str:
    """The line without the last byte of its signature."""
    start, _, encoded = line.rstrip().rpartition(" ")
    return f"{start} {base64_text(base64_decode(encoded)[:-1])}\n"


def _note(ledger: Ledger, size: int, key: SoftwareKey = LEDGER) -> str:
    return ledger.note(size, origin=ORIGIN, key=key)


def _files(ledger: Ledger) -> dict[str, str]:
    """The files of a ledger that was shown at each of the sizes."""
    return {path: data.hex() for size in SIZES for path, data in ledger.files(size).items()}

# SPDX-License-Identifier: Apache-2.0
"""Evidence whose tree heads witnesses cosigned, and what must fail where a line is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from assay.signing import cosignatures, treehead
from assay.signing.canonical import base64_decode, base64_text, instant_text
from assay.signing.cosignatures import Witness, WitnessKey
from assay.signing.evidence import Evidence
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, FILES, TEXT, World
from tests.vectors.mutation import PROOF, Mutation, b64

NOTE = (*PROOF, "checkpoint", "envelope")
NAMED = ("witnesses",)
SEEN_AT = int(AT.timestamp())
FIRST = 5  # line of a witness, below origin, size, root, nothing, and the ledger's own
HINT, TIME, SIGNATURE = 0, 4 + 7, 4 + 8 + 40  # bytes of a line


def witnessed_vectors() -> dict[str, object]:
    """A trust root, evidence, what it is about, and mutations of it."""
    world = World.create(at=AT)
    witnesses = Witnesses(world=world)
    evidence = witnesses.named(world.evidence_for_output(), w1=AT, w2=AT)
    return {
        "source": "docs/spec/formats.md, section 6; a throw-away authority (tests/vectors/make.py)",
        "trust_root": world.trust.to_json(),
        "fingerprint": world.trust.fingerprint,
        "text": TEXT,
        "files": {name: b64(data) for name, data in FILES.items()},
        "as_of": instant_text(AT),
        "evidence": evidence.to_json(),
        "mutations": [each.to_json() for each in (*_good(evidence), *_wrong(evidence))],
    }


def with_flipped(note: str, number: int, at: int) -> str:
    """A note with one bit changed in a line of its witnesses: of the byte at this place."""
    lines = note.splitlines(keepends=True)
    before, wanted, after = (
        lines[: FIRST + number],
        lines[FIRST + number],
        lines[FIRST + number + 1 :],
    )
    dash, name, encoded = wanted.rstrip("\n").split(" ")
    data = bytearray(base64_decode(encoded))
    data[at] ^= 1
    return "".join((*before, f"{dash} {name} {base64_text(bytes(data))}\n", *after))


def _good(evidence: Evidence) -> list[Mutation]:
    note = evidence.bundles["output"].proof.note
    quantum = MLDSA44PrivateKey.generate()
    lines = note.splitlines(keepends=True)
    return [
        Mutation(name="witnesses are named", failed=()),
        Mutation(name="witnesses are named", artifact="checkpoint", failed=()),
        Mutation(name="a line left out", set={NOTE: "".join(lines[:-1])}, failed=()),
        Mutation(
            name="lines in another order",
            set={NOTE: "".join((*lines[:5], lines[6], lines[5]))},
            failed=(),
        ),
        Mutation(
            name="a witness of ML-DSA-44 besides",
            set={NOTE: note + _line(note, quantum), NAMED: _keys(evidence, quantum)},
            failed=(),
        ),
        Mutation(
            name="no witness is named, as of old: a changed line says nothing",
            set={NOTE: with_flipped(note, 0, SIGNATURE)},
            remove=(NAMED,),
            failed=(),
        ),
    ]


def _wrong(evidence: Evidence) -> list[Mutation]:
    note = evidence.bundles["output"].proof.note
    stranger, quantum = Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate()
    head = treehead.parse(note)
    other = replace(head, size=head.size + 1)
    elsewhere = cosignatures.cosign(other, stranger, name="w4.test", at=SEEN_AT)
    keys = _keys(evidence)
    table = {
        "a bit of a witness's signature": (with_flipped(note, 0, SIGNATURE), keys),
        "a bit of another witness's signature": (with_flipped(note, 1, SIGNATURE), keys),
        "a bit of a witness's time": (with_flipped(note, 0, TIME), keys),
        "a bit of a witness's hint": (with_flipped(note, 1, HINT), keys),
        "a letter of a witness's name": (note.replace("w1.test", "v1.test"), keys),
        "a line of nobody named": (note + _line(note, stranger), keys),
        "a line of another head": (note + elsewhere, _keys(evidence, stranger)),
        "one of two witnesses not named": (note, keys[:1]),
        "a witness of ML-DSA-44 not named": (note + _line(note, quantum), keys),
    }
    failing = [
        Mutation(
            name=f"changed: {name}",
            set={NOTE: changed, NAMED: named},
            failed=("output.tree-head",) if named == keys or len(named) > len(keys) else EVERY,
            error="bad-tree-head",
        )
        for name, (changed, named) in table.items()
    ]
    return [*failing, *_unreadable(keys)]


EVERY = tuple(f"{part}.tree-head" for part in ("output", "checkpoint", "run", "dataset", "conduct"))


def _unreadable(keys: list[str]) -> Iterable[Mutation]:
    first, *rest = keys
    name, hint, encoded = first.split("+", 2)
    key = base64_decode(encoded)
    flipped, ledgers = (
        base64_text(each) for each in (key[:-1] + bytes([key[-1] ^ 1]), b"\x01" + key[1:])
    )
    table: dict[str, object] = {
        "a bit of a witness's key": [f"{name}+{hint}+{flipped}", *rest],
        "another name for a witness's key": [first.replace("w1.test", "v1.test"), *rest],
        "a ledger's key as a witness": [f"{name}+{hint}+{ledgers}", *rest],
        "a witness that is no text": [1],
        "witnesses that are no list": first,
    }
    for why, value in table.items():
        yield Mutation(name=f"unreadable: {why}", set={NAMED: value}, failed=(), is_refused=True)


def _line(note: str, key: WitnessKey) -> str:
    return cosignatures.cosign(treehead.parse(note), key, name="w4.test", at=SEEN_AT)


def _keys(evidence: Evidence, *more: WitnessKey) -> list[str]:
    found = [Witness(name="w4.test", public_key=each.public_key()) for each in more]
    return [each.text() for each in (*evidence.witnesses, *found)]

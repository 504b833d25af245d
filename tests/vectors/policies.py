# SPDX-License-Identifier: Apache-2.0
"""Policies of witnesses (C2SP tlog-policy): what each makes of a tree head, and what is none."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from assay.signing import cosignatures, treehead
from assay.signing.cosignatures import UNSAID, Witness
from assay.signing.errors import AssayError
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.tlog import Policy
from assay.signing.treehead import TreeHead
from tests.vectors.mutation import b64

ORIGIN = "registry.test/ledger"
NAMES = ("X1", "X2", "X3", "Y1", "Y2")
HEAD = TreeHead(origin=ORIGIN, size=5, root=bytes(range(32)))
SEEN: tuple[Mapping[str, int], ...] = (
    {"X1": 5, "X2": 7, "Y1": 6},
    {"X1": 5, "X2": 7, "Y1": 9},
    {"X1": 1, "X2": 7, "X3": 8, "Y1": 6, "Y2": 2},
    {"X1": 1, "X2": 7, "X3": 1, "Y1": 6, "Y2": 6},
    {"X1": 1, "X2": UNSAID, "Y1": 6},
    {"X1": 1, "X2": UNSAID, "X3": 8, "Y1": 6},
    {"Y2": 3, "X3": 2, "X2": 253_402_300_799},
)
SINCE = (7, 9, 7, 6, None, 8, 253_402_300_799)
"""Of each of these; none where enough saw it and did not say when."""
TOO_FEW: tuple[Mapping[str, int], ...] = ({}, {"X1": 1, "X2": 2}, {"X1": 1, "Y1": 2, "Y2": 3})


def policy_vectors() -> dict[str, object]:
    """Policies with heads that they accept and refuse, and files that are none."""
    ledger = SoftwareKey.generate(Curve.ED25519)
    keys = {name: Ed25519PrivateKey.generate() for name in NAMES}
    vkeys = {
        name: Witness(name=f"{name}.test", public_key=key.public_key()).text()
        for name, key in keys.items()
    }
    vkey, note = treehead.vkey(ORIGIN, ledger.public_key), treehead.sign(HEAD, ledger)

    def seen(by: Mapping[str, int], head: TreeHead = HEAD) -> str:
        lines = (
            cosignatures.cosign(head, keys[name], name=f"{name}.test", at=at)
            for name, at in by.items()
        )
        return note + "".join(lines)

    witnesses = "".join(f"witness {name} {vkeys[name]}\n" for name in NAMES)
    groups = "group X 2 X1 X2 X3\n\tgroup  Y any Y1 Y2\ngroup both all X Y\nquorum both\n"
    both = f"# two organisations\n\nlog {vkey} https://registry.test/ledger\n{witnesses}{groups}"
    one = f"log {vkey}\nwitness w {vkeys['X1']} https://x1.test/\nquorum w\n"
    nobody = f"log {vkey}\nquorum none\n"
    accepted = [
        *((f"as seen, {number}", both, seen(SEEN[number]), SINCE[number]) for number in range(7)),
        ("one witness", one, seen({"X1": 5}), 5),
        ("nobody is asked", nobody, note, None),
        ("nobody is asked, and some have seen it", nobody, seen({"X1": 5}), None),
        ("the first of two lines of one", one, seen({"X1": 9}) + seen({"X1": 4})[len(note) :], 4),
    ]
    stranger = SoftwareKey.generate(Curve.ED25519)
    later = TreeHead(origin=ORIGIN, size=6, root=HEAD.root)
    forged = seen(SEEN[0]) + seen({"X3": 1}, later)[len(note) :]
    refused = [
        *((f"too few: {len(by)}", both, seen(by), "not-witnessed") for by in TOO_FEW),
        ("nobody", one, note, "not-witnessed"),
        ("a forged line besides", both, forged, "bad-tree-head"),
        ("a ledger that is not named", "quorum none\n", note, "bad-tree-head"),
        ("another key of the ledger", nobody, treehead.sign(HEAD, stranger), "bad-tree-head"),
    ]
    return {
        "source": "C2SP tlog-policy, tlog-cosignature; docs/spec/ledger.md, section 3",
        "accepted": [_accepted(*each) for each in accepted],
        "refused": [
            {
                "name": name,
                "policy": text,
                "note": found,
                "error": error,
                "says": _says(text, found),
            }
            for name, text, found, error in refused
        ],
        "none": [
            {"policy": b64(text.encode("latin-1")), "field": field}
            for text, field in _none(vkey, vkeys, witnesses)
        ],
        "quantum": _quantum(vkey, note),
    }


def _accepted(name: str, text: str, note: str, since: int | None) -> dict[str, object]:
    seen_at = dict(sorted(Policy.parse(text.encode()).check(note).seen_at.items()))
    return {"name": name, "policy": text, "note": note, "seen_at": seen_at, "since": since}


def _says(text: str, note: str) -> str:
    try:
        Policy.parse(text.encode()).check(note)
    except AssayError as error:
        return str(error)
    raise ValueError("expected a head that the policy refuses")


def _quantum(vkey: str, note: str) -> dict[str, str]:
    """A witness that signs by ML-DSA-44 alone: whom browsers cannot ask."""
    key = MLDSA44PrivateKey.generate()
    witness = Witness(name="q.test", public_key=key.public_key())
    line = cosignatures.cosign(HEAD, key, name="q.test", at=5)
    return {"policy": f"log {vkey}\nwitness q {witness.text()}\nquorum q\n", "note": note + line}


def _none(vkey: str, vkeys: Mapping[str, str], witnesses: str) -> list[tuple[str, str]]:
    one, two = vkeys["X1"], vkeys["X2"]
    deep = [f"log {vkey}", f"witness g0 {one}"]
    deep += [f"group g{number} any g{number - 1}" for number in range(1, 34)]
    return [
        ("", "policy"),
        ("quorum none", "policy"),
        ("quorum none\r\n", "policy"),
        (f"log {vkey}\n", "policy"),
        ("quorum none\nquorum none\n", "line 2"),
        ("quorum w\n", "line 1"),
        ("quorum\n", "line 1"),
        ("wait for me\n", "line 1"),
        (f"log {vkey} a b\n", "line 1"),
        (f"log {vkey}\nlog {vkey}\n", "line 2"),
        (f"log {one}\n", "verifier"),
        (f"witness w {vkey}\n", "witness"),
        (f"witness none {one}\n", "line 1"),
        (f"witness w {one}\nwitness v {one}\n", "line 2"),
        (f"witness w {one}\nwitness w {two}\n", "line 2"),
        (f"{witnesses}group g any\n", "line 6"),
        (f"{witnesses}group X1 any X2\n", "line 6"),
        (f"{witnesses}group none any X2\n", "line 6"),
        (f"{witnesses}group g any none\n", "line 6"),
        (f"{witnesses}group g any g\n", "line 6"),
        (f"{witnesses}group g any Z\n", "line 6"),
        (f"{witnesses}group g any X1 X1\n", "line 6"),
        (f"{witnesses}group g any X1\ngroup h any X1\n", "line 7"),
        (f"{witnesses}group g 3 X1 X2\n", "line 6"),
        (f"{witnesses}group g 0 X1 X2\n", "line 6"),
        (f"{witnesses}group g 01 X1 X2\n", "line 6"),
        (f"{witnesses}group g some X1 X2\n", "line 6"),
        ("\n".join([*deep, "quorum g33\n"]), "line 35"),
    ]

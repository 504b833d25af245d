# SPDX-License-Identifier: Apache-2.0
"""A generated text whose statement names its lines: which parts of it verify, and what changes."""

from __future__ import annotations

from dataclasses import replace

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence
from assay.signing.excerpts import LineList
from assay.signing.statements import ListReference, OutputClaim, Statement
from tests.signing.world import AT, World

TEXT = """def area(side):
    if side < 0:
        return None

    return side * side

def caf\u00e9():
    return None

"""

BOTH = ["text", "output.lines"]


def naming_lines(world: World, text: str = TEXT) -> Evidence:
    """Everything about a generated text, with the list of its lines."""
    evidence, lines = world.evidence_for_output(text), LineList.of(text)
    claim = OutputClaim.parse(Statement.parse(evidence.bundles["output"].envelope.payload))
    named = ListReference(count=len(lines.digests), sha256=lines.sha256)
    signed = world.sign(replace(claim, lines=named).statement(), Purpose.OUTPUT, world.alice)
    return replace(
        evidence, bundles={**evidence.bundles, "output": world.bundle(signed)}, lines=lines
    )


def excerpt_vectors() -> dict[str, object]:
    """The evidence, what parts come to, and what fails once something is another thing."""
    world = World.create(at=AT)
    evidence = naming_lines(world)
    return {
        "source": "docs/spec/formats.md, section 2",
        "trust_root": world.trust.to_json(),
        "as_of": canonical.instant_text(AT),
        "text": TEXT,
        "lines": list(LineList.of(TEXT).digests),
        "evidence": evidence.to_json(),
        "parts": _parts(),
        "changed": _changed(),
        "refused": _refused(),
    }


def _parts() -> list[dict[str, object]]:
    """Of each text how it compares, where it stands, or that its step fails."""
    lines = [line for line in TEXT.split("\n") if line]

    def part(first: int, last: int, text: str | None = None) -> dict[str, object]:
        given = "\n".join(lines[first - 1 : last]) if text is None else text
        return {"text": given, "match": "excerpt", "excerpt": [first, last, len(lines)]}

    def none(text: str) -> dict[str, object]:
        return {"text": text, "failed": ["text"]}

    return [
        {"name": "all of it", "text": TEXT, "match": "identical"},
        {
            "name": "all of it, as pasted",
            "text": TEXT.replace("\n", " \r\n"),
            "match": "same after normalising",
        },
        {"name": "all lines without the empty ones", **part(1, 6)},
        {"name": "the first line", **part(1, 1)},
        {"name": "the last two", **part(5, 6)},
        {
            "name": "over an empty line",
            **part(3, 4, "        return None\n\n    return side * side"),
        },
        {"name": "with empty lines about it", **part(2, 3, f"\n\n{lines[1]}\n \n{lines[2]}\n\n")},
        {"name": "as pasted", **part(2, 4, "\t\r\n".join(lines[1:4]) + "\r\n")},
        {"name": "another form of a letter", **part(5, 5, "def cafe\u0301():")},
        {"name": "a line that comes once so deep", **part(6, 6, "    return None")},
        {"name": "a word less", **none("    if side:")},
        {"name": "another indentation", **none("return side * side")},
        {"name": "another order", **none(f"{lines[3]}\n{lines[2]}")},
        {"name": "a line left out", **none(f"{lines[0]}\n{lines[2]}")},
        {"name": "a line put in", **none(f"{lines[0]}\n    pass\n{lines[1]}")},
        {"name": "a line twice", **none(f"{lines[0]}\n{lines[0]}")},
        {"name": "a part of a line", **none("def area")},
        {"name": "a line and more", **none(f"{TEXT}more\n")},
        {"name": "nothing", **none("")},
        {"name": "nothing but white space", **none(" \n\t\n")},
    ]


def _changed() -> list[dict[str, object]]:
    """Of the document: which steps fail, with a part of the text at hand."""
    return [
        {"name": "nothing", "failed": []},
        {"name": "no list", "path": ["lines"], "failed": ["text"]},
        {
            "name": "an empty list",
            "path": ["lines"],
            "value": [],
            "failed": BOTH,
        },
        {
            "name": "a line in the list",
            "path": ["lines", 0],
            "value": "ab" * 32,
            "failed": BOTH,
        },
    ]


def _refused() -> list[dict[str, object]]:
    """Lists that are none."""
    return [
        {"why": "no list", "lines": "ab" * 32},
        {"why": "a digest in capitals", "lines": ["AB" * 32]},
        {"why": "half a digest", "lines": ["ab" * 16]},
        {"why": "a number", "lines": [1]},
        {"why": "more than there may be", "lines": ["ab" * 32] * 4097},
    ]

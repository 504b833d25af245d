# SPDX-License-Identifier: Apache-2.0
"""A batch of outputs and the proof of one, changed in one thing each; and what is none."""

from __future__ import annotations

from dataclasses import replace

from assay.signing import canonical
from assay.signing.canonical import base64_text, instant_text
from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence
from assay.signing.excerpts import LineList
from assay.signing.statements import Placed
from assay.signing.tlog import Proof
from tests.signing.batching import (
    TEXTS,
    batch_claim,
    evidence_for_batch,
    placed,
    proof_of,
    proof_with,
)
from tests.signing.evaluating import with_part
from tests.signing.world import AT, World
from tests.vectors.forks import in_another_history

SHOWN = 2  # of the outputs


def batch_vectors() -> dict[str, object]:
    """Trust root, evidence, proofs, one change each, and what no reader may accept."""
    world = World.create(at=AT)
    evidence = evidence_for_batch(world)
    statement = batch_claim(evidence, placed()).statement()
    return {
        "source": "docs/spec/formats.md, section 10",
        "trust_root": world.trust.to_json(),
        "as_of": instant_text(AT),
        "evidence": evidence.to_json(),
        "outputs": [
            {"text": text, "proof": proof_of(world, evidence, index).text()}
            for index, text in enumerate(TEXTS)
        ],
        "shown": SHOWN,
        "changed": _changed(world, evidence),
        "statement": canonical.loads(statement.canonical()),
        "refused": _refused(),
        "placed": canonical.loads(_placed(proof_of(world, evidence, SHOWN)).canonical()),
        "not_placed": _not_placed(),
    }


def _changed(world: World, evidence: Evidence) -> list[dict[str, object]]:
    """What is changed of the evidence or of the proof, and the steps that fail for it."""
    good = proof_of(world, evidence, SHOWN)
    found = _placed(good)
    bundle = evidence.bundles["batch"]
    other = evidence_for_batch(world, TEXTS[1:])
    of_node = with_part(
        world, evidence, "batch", batch_claim(evidence, placed()), "bob", purpose=Purpose.CHECKPOINT
    )

    def moved(**changes: object) -> str:
        return replace(good, extra=replace(found, **changes).canonical()).text()  # type: ignore[arg-type]  # of its fields

    fork = replace(good, note=in_another_history(world, bundle).proof.note)
    return [
        _case("nothing", []),
        _case("another text", ["text"], text=TEXTS[0]),
        _case("a text that was copied", [], text=f"{TEXTS[SHOWN].rstrip()}\r\n"),
        _case("another place", ["output.proof"], proof=moved(index=SHOWN + 1)),
        _case("a place behind the last", ["output.proof"], proof=moved(index=len(TEXTS))),
        _case("another digest", ["output.proof"], proof=moved(exact_sha256="0" * 64)),
        _case("another id", ["output.proof"], proof=moved(output="another")),
        _case("another media type", ["output.proof"], proof=moved(media_type="text/html")),
        _case("no hashes", ["output.proof"], proof=moved(hashes=())),
        _case("no place", ["output.proof"], proof=replace(good, extra=None).text()),
        _case(
            "a proof of another entry",
            ["output.tree-head"],
            proof=replace(good, index=good.index - 1).text(),
        ),
        _case(
            "hashes that lead to no head",
            ["output.tree-head"],
            proof=replace(good, hashes=(*good.hashes[:-1], bytes(32))).text(),
        ),
        _case("a head of another history", ["output.tree-head", "heads"], proof=fork.text()),
        _case(
            "the proof of another batch",
            ["output.proof", "output.tree-head"],
            proof=proof_of(world, other, SHOWN - 1, TEXTS[1:]).text(),
        ),
        _case(
            "a list of lines, which no output of a batch names",
            ["text", "output.lines"],
            lines=list(LineList.of(f"{TEXTS[SHOWN]}and more").digests),
            text="and more",
        ),
        _case("no batch", ["batch.statement"], remove="batch"),
        _case(
            "a batch that a key for checkpoints signed",
            ["batch.signer"],
            batch=of_node.bundles["batch"].to_json(),
            proof=proof_with(world, of_node, found.canonical()).text(),
        ),
    ]


def _case(name: str, failed: list[str], **changes: object) -> dict[str, object]:
    return {"name": name, "failed": failed, **changes}


def _placed(proof: Proof) -> Placed:
    if proof.extra is None:
        raise ValueError("expected a place")
    return Placed.parse(proof.extra)


def _refused() -> list[dict[str, object]]:
    """By the path in the statement."""
    return [
        {"path": ["predicate", "count"], "value": 0},
        {"path": ["predicate", "count"], "value": 100_001},
        {"path": ["predicate", "claim"], "value": "server-generated"},
        {"path": ["predicate", "media_type"], "value": "text/plain"},
        {"path": ["predicate", "checkpoint"], "value": {"sha256": "0" * 64}},
        {"path": ["predicate", "batch"], "value": ""},
        {"path": ["subject", 0, "name"], "value": "output"},
    ]


def _not_placed() -> list[dict[str, object]]:
    """By the field in `extra`."""
    return [
        {"field": "index", "value": -1},
        {"field": "index", "value": "1"},
        {"field": "output", "value": ""},
        {"field": "sha256", "value": "0"},
        {"field": "normalised", "value": "0"},
        {"field": "media_type", "value": None},
        {"field": "hashes", "value": ["AA=="]},
        {"field": "hashes", "value": [base64_text(bytes(32))] * 64},
        {"field": "claim", "value": "caller-asserted"},
    ]

# SPDX-License-Identifier: Apache-2.0
"""Walks from an output to the checkpoints that its run continued from: how far, and what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from assay.signing.canonical import instant_text
from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence, Part
from assay.signing.revocation import Reason, Revocation
from assay.signing.trust import TrustRoot
from assay.signing.verify import (
    Basis,
    Content,
    Examination,
    Requirements,
    examine_checkpoint,
    examine_output,
)
from tests.signing.descending import continued, files_of, lineage, output_of
from tests.signing.world import AT, TEXT, World, manifest_of
from tests.vectors.mutation import b64
from tests.vectors.takedowns import claim_of, taken_down

READ = b"# Community language models\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What is verified, what is at hand beside it, and where that leads."""

    name: str
    of: str
    """By its name among the evidence."""
    bases: tuple[str, ...] = ()
    walked: tuple[str, ...] = ()
    """Which of the bases were examined, in this order."""
    failed: tuple[str, ...] = ()
    error: str = ""
    texts: tuple[bytes, ...] = ()
    lists: tuple[bytes, ...] = ()


def walk_vectors() -> dict[str, object]:
    """A trust root, evidence by name, and walks."""
    world = World.create(at=AT)
    evidence = _evidence(world)
    return {
        "source": "docs/spec/evidence-pack.md, section 2; a throw-away authority",
        "trust_root": world.trust.to_json(),
        "text": TEXT,
        "as_of": instant_text(AT),
        "evidence": {name: each.to_json() for name, each in evidence.items()},
        "walks": [_to_json(world, evidence, each) for each in _walks(world, evidence)],
    }


def _evidence(world: World) -> Mapping[str, Evidence]:
    first, second, third = lineage(world, 3)
    circle = _circle(world)
    broken = replace(second, policy={**second.policy, "title": "Anything goes"})
    run = third.bundles[Part.RUN]
    entries = list(world.entries)
    world.entries[:] = [bytes(32), *entries[1 : run.proof.size]]
    forked = replace(run, proof=replace(run.proof, note=world.note(), root=run.proof.root))
    world.entries[:] = entries
    return {
        "output": output_of(world, third),
        "first": first,
        "second": second,
        "third": third,
        "broken": broken,
        "forked": replace(third, bundles={**third.bundles, Part.RUN: forked}),
        "taken down": taken_down_base(world, third),
        "one of a circle": circle[0],
        "the other of it": circle[1],
    }


def taken_down_base(world: World, base: Evidence) -> Evidence:
    """The same, which its registry took down since."""
    claim = replace(claim_of(base), checkpoint_sha256=base.manifest.id)
    return taken_down(world, base, claim)


def _circle(world: World) -> tuple[Evidence, Evidence]:
    """Two checkpoints whose runs each say that they continued from the other."""
    one, other = (manifest_of(files_of(step)).id for step in (8, 9))
    return continued(world, 8, other), continued(world, 9, one)


def _walks(world: World, evidence: Mapping[str, Evidence]) -> Sequence[Walk]:
    third = ("third", "second", "first")
    run = evidence["third"].bundles[Part.RUN]
    revoked = Revocation(
        serial=run.chain.leaf.serial_number,
        revoked_at=AT - timedelta(hours=1),
        reason=Reason.KEY_COMPROMISE,
    )
    return (
        Walk(name="nothing is at hand", of="output"),
        Walk(name="all of it", of="output", bases=third, walked=third),
        Walk(name="in any order", of="output", bases=("first", "third", "second"), walked=third),
        Walk(name="from a checkpoint", of="third", bases=third, walked=("second", "first")),
        Walk(name="one is missing", of="output", bases=("first", "third"), walked=("third",)),
        Walk(name="none that it names", of="output", bases=("first", "second")),
        Walk(name="from the first, which continued from nothing", of="first", bases=third),
        Walk(
            name="a circle, in which each is walked once",
            of="one of a circle",
            bases=("one of a circle", "the other of it"),
            walked=("the other of it", "one of a circle"),
        ),
        Walk(
            name="a circle that ends where the other is not at hand",
            of="one of a circle",
            bases=("the other of it",),
            walked=("the other of it",),
        ),
        Walk(
            name="a base with another policy document",
            of="output",
            bases=("third", "broken", "first"),
            walked=("third", "broken", "first"),
            failed=("base-2.conduct.policy",),
            error="broken-link",
        ),
        Walk(
            name="a base under a head of another history",
            of="output",
            bases=("forked",),
            walked=("forked",),
            failed=("heads", "base-1.run.tree-head"),
            error="ledger-forked",
        ),
        Walk(
            name="a base whose machine was revoked",
            of="output",
            bases=("third",),
            walked=("third",),
            lists=world.lists({Purpose.NODE.value: revoked}),
            failed=("run.revocation", "base-1.run.revocation"),
            error="certificate-revoked",
        ),
        Walk(
            name="a base that was taken down",
            of="output",
            bases=("taken down",),
            walked=("taken down",),
        ),
        Walk(
            name="a text that people read, and another",
            of="output",
            bases=("third",),
            walked=("third",),
            texts=(b"another", READ),
        ),
    )


def judged(trust: TrustRoot, evidence: Mapping[str, Evidence], walk: Walk) -> Examination:
    """As a verifier judges it."""
    basis = Basis(
        trust=trust,
        requirements=Requirements(as_of=AT),
        lists=walk.lists,
        bases=tuple(evidence[name] for name in walk.bases),
        texts=walk.texts,
    )
    of = evidence[walk.of]
    if Part.OUTPUT in of.bundles:
        return examine_output(of, basis=basis, content=Content.of(TEXT.encode()))
    return examine_checkpoint(of, basis=basis, files=None)


def _to_json(world: World, evidence: Mapping[str, Evidence], walk: Walk) -> dict[str, object]:
    steps = judged(world.trust, evidence, walk).steps
    stated: dict[str, object] = {
        "name": walk.name,
        "of": walk.of,
        "bases": list(walk.bases),
        "walked": list(walk.walked),
        "failed": list(walk.failed),
        "error": walk.error,
        "texts": [b64(each) for each in walk.texts],
        "lists": [b64(each) for each in walk.lists],
    }
    below = [step for step in steps if step.part.startswith("base-") or step.part == "heads"]
    return {
        **{name: value for name, value in stated.items() if value},
        "said": [[step.code, step.title, step.detail] for step in below],
    }

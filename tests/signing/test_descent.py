# SPDX-License-Identifier: Apache-2.0
"""What a run continued from is examined as any checkpoint, as far as evidence of it is at hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from assay.signing.certificates import Purpose
from assay.signing.errors import BrokenLink, CertificateRevoked, LedgerForked
from assay.signing.evidence import Evidence, Part
from assay.signing.revocation import Reason, Revocation
from assay.signing.verify import (
    Content,
    Examination,
    examine_checkpoint,
    examine_output,
)
from assay.signing.verify.descent import MAX_BASES
from assay.signing.verify.tree import tree
from tests.signing.descending import continued, files_of, lineage, output_of
from tests.signing.world import AT, TEXT, World, manifest_of

SAME = Content.of(TEXT.encode())


def examined(world: World, evidence: Evidence, *bases: Evidence) -> Examination:
    basis = replace(world.basis(), bases=bases)
    return examine_output(evidence, basis=basis, content=SAME)


def test_a_walk_goes_on_to_each_base_at_hand(world: World) -> None:
    bases = lineage(world, 3)
    found = examined(world, output_of(world, bases[-1]), *bases).verdict()
    assert [base.checkpoint.manifest_sha256 for base in found.bases if base.checkpoint] == [
        each.manifest.id for each in reversed(bases)
    ]
    assert [step.code for base in found.bases for step in base.steps if step.part == "base-2"][
        :2
    ] == ["base-2.checkpoint.statement", "base-2.checkpoint.time"]
    assert [step.number for step in found.steps] == list(range(1, len(found.steps) + 1))


def test_a_base_that_is_not_at_hand_ends_the_walk(world: World) -> None:
    first, second, third = lineage(world, 3)
    found = examined(world, output_of(world, third), first, third).verdict()
    assert [base.checkpoint and base.checkpoint.manifest_sha256 for base in found.bases] == [
        third.manifest.id
    ]
    assert found.bases[0].run is not None
    assert found.bases[0].run.parent_sha256 == second.manifest.id


def test_what_nothing_names_is_passed_over(world: World) -> None:
    (other,) = lineage(world, 1)
    found = examined(world, world.evidence_for_output(), other).verdict()
    assert found.bases == ()


def test_a_walk_in_a_circle_ends(world: World) -> None:
    one, two = files_of(1), files_of(2)
    first = continued(world, 1, manifest_of(two).id)
    second = continued(world, 2, manifest_of(one).id)
    found = examined(world, output_of(world, first), first, second).verdict()
    assert len(found.bases) == 2


def test_a_walk_is_no_longer_than_it_may_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_BASES > 1
    monkeypatch.setattr("assay.signing.verify.descent.MAX_BASES", 1)
    bases = lineage(world, 2)
    assert len(examined(world, output_of(world, bases[-1]), *bases).verdict().bases) == 1


def test_a_base_with_a_broken_link_fails_the_whole(world: World) -> None:
    (base,) = lineage(world, 1)
    other = world.evidence_for_checkpoint(files_of(7))
    mixed = replace(base, bundles={**base.bundles, Part.RUN: other.bundles[Part.RUN]})
    found = examined(world, output_of(world, base), mixed)
    assert [step.code for step in found.failures] == ["base-1.checkpoint.run"]
    with pytest.raises(BrokenLink):
        found.verdict()


def test_a_manifest_that_names_another_checkpoint_fails_where_it_stands(world: World) -> None:
    """The base's manifest fits the run that names it, and not what was signed about it."""
    (base,) = lineage(world, 1)
    wrong = replace(world.evidence_for_checkpoint(files_of(7)), manifest=base.manifest)
    failed = [step.code for step in examined(world, output_of(world, base), wrong).failures]
    assert failed == ["base-1.checkpoint.manifest", "base-1.checkpoint.oms"]


def test_a_base_whose_key_was_revoked_fails(world: World) -> None:
    (base,) = lineage(world, 1)
    output = output_of(world, base)
    revoked = Revocation(
        serial=base.bundles[Part.RUN].chain.leaf.serial_number,
        revoked_at=AT - timedelta(hours=1),
        reason=Reason.KEY_COMPROMISE,
    )
    lists = world.lists({Purpose.NODE.value: revoked})
    found = examine_output(
        output, basis=replace(world.basis(), bases=(base,), lists=lists), content=SAME
    )
    with pytest.raises(CertificateRevoked):
        found.verdict()
    assert "base-1.run.revocation" in [step.code for step in found.failures]


def test_the_heads_of_bases_are_of_the_same_history(world: World) -> None:
    (base,) = lineage(world, 1)
    output = output_of(world, base)
    entries = list(world.entries)
    world.entries[:] = [bytes(32), *entries[1:]]
    forged = replace(base.bundles[Part.RUN].proof, note=world.note())
    world.entries[:] = entries
    run = replace(base.bundles[Part.RUN], proof=forged)
    forked = replace(base, bundles={**base.bundles, Part.RUN: run})
    size = base.bundles[Part.RUN].proof.size
    assert size < len(entries)
    found = examined(world, output, forked)
    heads = next(step for step in found.steps if step.code == "heads")
    assert isinstance(heads.error, LedgerForked)


def test_checkpoints_walk_too(world: World) -> None:
    base, checkpoint = lineage(world, 2)
    basis = replace(world.basis(), bases=(base,))
    assert len(examine_checkpoint(checkpoint, basis=basis, files=None).verdict().bases) == 1


def test_a_text_that_people_read_is_held_to_the_policy(world: World) -> None:
    basis = replace(world.basis(), texts=(b"another", b"# Community language models\n"))
    found = examine_output(world.evidence_for_output(), basis=basis, content=SAME)
    assert [step.code for step in found.steps if step.code == "conduct.text"] == ["conduct.text"]
    found.verdict()


def test_the_tree_has_each_step_once_and_each_part_below_what_names_it(world: World) -> None:
    bases = lineage(world, 2)
    found = examined(world, output_of(world, bases[-1]), *bases)
    nodes = list(tree(found.steps))
    assert [node.name for node in nodes] == ["output", "evidence"]
    (checkpoint,) = nodes[0].children
    below = {node.name: node for node in checkpoint.children}
    assert set(below) == {"run", "conduct"}
    assert [node.name for node in below["run"].children] == ["dataset", "base-1", "base-2"]
    assert [step.code for step in below["conduct"].steps][-4:] == [
        "output.conduct",
        "run.conduct",
        "checkpoint.conduct",
        "conduct.policy",
    ]
    todo, seen = nodes, []
    while todo:
        node = todo.pop()
        seen += [step.number for step in node.steps]
        todo += node.children
    assert sorted(seen) == [step.number for step in found.steps]

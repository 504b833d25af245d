# SPDX-License-Identifier: Apache-2.0
"""Two tree heads of one size with different roots, both signed by the ledger, never verify."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.signing.bundle import Bundle
from assay.signing.errors import LedgerForked
from assay.signing.evidence import Evidence, Part
from assay.signing.verify import (
    Basis,
    Content,
    Examination,
    Outcome,
    examine_checkpoint,
    examine_evaluation,
    examine_output,
    verify_output,
)
from tests.signing.evaluating import evidence_for_evaluation
from tests.signing.witnesses import Witnesses
from tests.signing.world import FILES, TEXT, World, manifest_of
from tests.vectors.forks import in_another_history

CONTENT = Content.of(TEXT.encode())


def forked(world: World, evidence: Evidence, *parts: str) -> Evidence:
    """Some parts of the evidence under another history of the same size."""
    others = {part: in_another_history(world, evidence.bundles[part]) for part in parts}
    return replace(evidence, bundles={**evidence.bundles, **others})


def basis(world: World) -> Basis:
    return Basis(trust=world.trust, requirements=world.requirements)


def failing(found: Examination) -> list[str]:
    return [step.code for step in found.failures]


def test_evidence_under_two_heads_of_one_size_is_a_fork(world: World) -> None:
    evidence = forked(world, world.evidence_for_output(), "conduct", "output")
    with pytest.raises(LedgerForked, match="one tree of 5 entries, found two that the ledger"):
        verify_output(evidence, trust=world.trust, requirements=world.requirements, content=CONTENT)
    assert failing(examine_output(evidence, basis=basis(world), content=CONTENT)) == ["heads"]


def test_an_evaluation_is_held_to_it_too(world: World) -> None:
    evidence = forked(world, evidence_for_evaluation(world), "run")
    assert failing(examine_evaluation(evidence, basis=basis(world))) == ["heads"]


def test_evidence_that_is_all_of_the_other_history_says_nothing_of_the_first(world: World) -> None:
    world.evidence_for_upload()  # of which the first entry is another in the other history
    evidence = world.evidence_for_upload()
    found = examine_checkpoint(
        forked(world, evidence, *evidence.bundles), basis=basis(world), files=None
    )
    assert failing(found) == []


def test_witnesses_who_saw_both_heads_make_neither_right(world: World) -> None:
    witnesses = Witnesses(world=world)
    evidence = forked(world, world.evidence_for_upload(), "conduct")
    seen = witnesses.evidence(evidence, w1=world.at, w2=world.at)
    required = replace(world.requirements, policy=witnesses.policy())
    found = examine_checkpoint(
        seen, basis=Basis(trust=world.trust, requirements=required), files=None
    )
    assert failing(found) == ["heads"]


def test_heads_of_several_sizes_are_each_compared_with_their_own_alone(world: World) -> None:
    evidence = world.evidence_for_upload()
    model = world.model_signature()
    whole = replace(evidence, bundles={**evidence.bundles, Part.MODEL: model})
    found = examine_checkpoint(whole, basis=basis(world), files=None)
    (step,) = (step for step in found.steps if step.code == "heads")
    assert (failing(found), step.detail) == ([], "of 2, 3 entries: of each size one root")


def beside(world: World, evidence: Evidence, signature: Bundle) -> list[str]:
    """What fails with a model signature beside the files."""
    found = examine_checkpoint(
        evidence, basis=basis(world), files=manifest_of(FILES), signature=signature
    )
    return failing(found)


def test_the_model_signature_beside_the_files_is_compared_under_its_own_head(world: World) -> None:
    """Its proof gives way to that of the evidence, and its head is still what the ledger signed."""
    evidence = world.evidence_for_upload()
    model = world.model_signature()
    whole = replace(evidence, bundles={**evidence.bundles, Part.MODEL: model})
    assert beside(world, whole, model) == []
    assert beside(world, whole, in_another_history(world, model)) == ["heads"]


def test_a_head_that_the_ledger_did_not_sign_says_nothing_of_its_history(world: World) -> None:
    evidence = forked(world, world.evidence_for_upload(), "conduct")
    theirs = World.create(at=world.at)
    theirs.entries = world.entries
    proof = replace(evidence.bundles["conduct"].proof, note=theirs.note())
    conduct = replace(evidence.bundles["conduct"], proof=proof)
    found = examine_checkpoint(
        replace(evidence, bundles={**evidence.bundles, "conduct": conduct}),
        basis=basis(world),
        files=None,
    )
    assert failing(found) == ["conduct.tree-head"]


def test_where_the_ledger_signed_no_head_there_is_nothing_to_compare(world: World) -> None:
    stranger = World.create(at=world.at)
    found = examine_checkpoint(world.evidence_for_upload(), basis=basis(stranger), files=None)
    (step,) = (step for step in found.steps if step.code == "heads")
    assert step.outcome is Outcome.NOT_REACHED

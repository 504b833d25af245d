# SPDX-License-Identifier: Apache-2.0
"""What somebody says a checkpoint achieved verifies down to its conduct, as that person's word."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.errors import BrokenLink, InvalidDocument, WrongIdentity
from assay.signing.evidence import Evidence
from assay.signing.statements import EvaluationClaim, Statement, WithdrawalClaim
from assay.signing.trust import TrustRoot
from assay.signing.verify import Basis, Examination, Requirements, examine_evaluation
from assay.signing.verify.kinds import any_of
from tests.signing.evaluating import evidence_for_evaluation, with_part, withdrawal_of, withdrawn
from tests.signing.world import FILES, World, manifest_of

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/evaluations.json").read_text(encoding="ascii")
)
CLAIMS: Mapping[str, type[EvaluationClaim | WithdrawalClaim]] = {
    "statement": EvaluationClaim,
    "withdrawal": WithdrawalClaim,
}


def changed(document: Json, path: list[str | int], value: Json) -> Json:
    """A copy with one place set."""
    copied = copy.deepcopy(document)
    *outer, last = path
    inner = copied
    for step in outer:
        inner = inner[step]
    inner[last] = value
    return copied


def examined(mutation: Json) -> Examination:
    document = GIVEN["evidence"]
    for each in mutation.get("set", ()):
        document = changed(document, each["path"], each["value"])
    for path in mutation.get("remove", ()):
        document = copy.deepcopy(document)
        del document[path[0]][path[1]]
    requirements = Requirements(as_of=canonical.instant(GIVEN, "as_of"))
    basis = Basis(trust=TrustRoot.parse(GIVEN["trust_root"]), requirements=requirements)
    return examine_evaluation(Evidence.parse(document), basis=basis)


@pytest.mark.parametrize("mutation", GIVEN["mutations"], ids=lambda each: each["name"])
def test_one_change_fails_the_steps_that_speak_of_it(mutation: Json) -> None:
    found = examined(mutation)
    assert [step.code for step in found.failures] == mutation.get("failed", [])
    if found.failures:
        error = found.failures[0].error
        assert error is not None
        assert error.code == mutation["error"]


@pytest.mark.parametrize("each", GIVEN["refused"], ids=lambda each: each["why"])
def test_what_is_no_such_statement_is_refused(each: Json) -> None:
    document = changed(GIVEN[each["of"]], each["path"], each["value"])
    with pytest.raises(InvalidDocument):
        CLAIMS[each["of"]].parse(Statement.parse(canonical.dumps(document)))


@pytest.mark.parametrize("of", CLAIMS)
def test_a_claim_makes_the_statement_that_it_was_read_from(of: str) -> None:
    statement = Statement.parse(canonical.dumps(GIVEN[of]))
    assert CLAIMS[of].parse(statement).statement() == statement
    assert any_of(Purpose.CHECKPOINT).in_words(CLAIMS[of].parse(statement))


def basis(world: World, signer: str | None = None) -> Basis:
    requirements = Requirements(as_of=world.at, signer=signer)
    return Basis(trust=world.trust, requirements=requirements)


def test_it_says_who_said_it_and_what_it_stands_on(world: World) -> None:
    found = examine_evaluation(evidence_for_evaluation(world), basis=basis(world)).verdict()
    assert found.kind == "evaluation"
    assert [part.name for part in found.parts] == [
        "evaluation",
        "checkpoint",
        "run",
        "dataset",
        "conduct",
    ]
    assert found.parts[0].signer == f"{world.registry}/bob"
    assert found.evaluation is not None
    assert found.withdrawal is None


def test_what_was_taken_back_verifies_and_says_so(world: World) -> None:
    found = examine_evaluation(withdrawn(world), basis=basis(world)).verdict()
    assert [part.name for part in found.parts][:2] == ["evaluation", "withdrawal"]
    assert found.withdrawal is not None


def test_nobody_takes_back_what_another_said(world: World) -> None:
    evidence = evidence_for_evaluation(world)
    taken = with_part(world, evidence, "withdrawal", withdrawal_of(evidence), "carol")
    with pytest.raises(BrokenLink, match=r"a withdrawal by .*/bob, who evaluated, found one by"):
        examine_evaluation(taken, basis=basis(world)).verdict()


def test_whose_word_it_must_be_can_be_demanded(world: World) -> None:
    evidence = evidence_for_evaluation(world)
    asked = basis(world, signer=f"{world.registry}/alice")
    with pytest.raises(WrongIdentity):
        examine_evaluation(evidence, basis=asked).verdict()


def test_the_files_at_hand_are_compared(world: World) -> None:
    evidence = evidence_for_evaluation(world)
    examine_evaluation(evidence, basis=basis(world), files=manifest_of(FILES)).verdict()
    other = manifest_of({**FILES, "config.json": b"{}"})
    found = examine_evaluation(evidence, basis=basis(world), files=other)
    assert [step.code for step in found.failures] == ["files"]

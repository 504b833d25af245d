# SPDX-License-Identifier: Apache-2.0
"""One output of a batch verifies by its proof, down to the conduct, as the caller's word."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.errors import InvalidDocument
from assay.signing.evidence import Evidence
from assay.signing.statements import BatchClaim, Placed, Statement
from assay.signing.tlog import Proof
from assay.signing.trust import TrustRoot
from assay.signing.verify import Basis, Content, Examination, Match, Requirements, examine_batched
from assay.signing.verify.kinds import any_of
from tests.signing.batching import TEXTS, evidence_for_batch, placed, proof_of
from tests.signing.world import FILES, World, manifest_of

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/batches.json").read_text(encoding="ascii")
)


def examined(case: Json) -> Examination:
    document = copy.deepcopy(GIVEN["evidence"])
    if "batch" in case:
        document["bundles"]["batch"] = case["batch"]
    if "remove" in case:
        del document["bundles"][case["remove"]]
    if "lines" in case:
        document["lines"] = case["lines"]
    shown = GIVEN["outputs"][GIVEN["shown"]]
    as_of = canonical.instant(GIVEN, "as_of")
    requirements = Requirements(as_of=as_of, accepts_excerpt=True)
    return examine_batched(
        Evidence.parse(document),
        Proof.parse(case.get("proof", shown["proof"])),
        basis=Basis(trust=TrustRoot.parse(GIVEN["trust_root"]), requirements=requirements),
        content=Content.of(case.get("text", shown["text"]).encode()),
    )


@pytest.mark.parametrize("case", GIVEN["changed"], ids=lambda each: each["name"])
def test_one_change_fails_the_steps_that_speak_of_it(case: Json) -> None:
    assert [step.code for step in examined(case).failures] == case["failed"]


@pytest.mark.parametrize("output", GIVEN["outputs"], ids=lambda each: each["text"])
def test_each_output_verifies_by_its_own_proof(output: Json) -> None:
    assert examined(output).verdict().match is Match.IDENTICAL


@pytest.mark.parametrize("each", GIVEN["refused"])
def test_what_is_no_batch_is_refused(each: Json) -> None:
    document = copy.deepcopy(GIVEN["statement"])
    *outer, last = each["path"]
    inner = document
    for step in outer:
        inner = inner[step]
    inner[last] = each["value"]
    with pytest.raises(InvalidDocument):
        BatchClaim.parse(Statement.parse(canonical.dumps(document)))


@pytest.mark.parametrize("each", GIVEN["not_placed"])
def test_what_is_no_place_in_a_batch_is_refused(each: Json) -> None:
    document = {**GIVEN["placed"], each["field"]: each["value"]}
    with pytest.raises(InvalidDocument):
        Placed.parse(canonical.dumps(document))


def test_a_place_is_written_in_one_way_only() -> None:
    data = canonical.dumps(GIVEN["placed"])
    assert Placed.parse(data).canonical() == data
    with pytest.raises(InvalidDocument, match="canonical form"):
        Placed.parse(json.dumps(GIVEN["placed"], indent=1).encode())


def test_a_claim_makes_the_statement_that_it_was_read_from() -> None:
    statement = Statement.parse(canonical.dumps(GIVEN["statement"]))
    assert BatchClaim.parse(statement).statement() == statement
    said = any_of(Purpose.OUTPUT).in_words(BatchClaim.parse(statement))
    assert said.startswith("batch 1f0d4b52-63f1-4a0e-8c26-5a7f2c3b9d10 of 5 outputs, from ")


def test_it_says_whose_word_it_is_and_what_it_stands_on(world: World) -> None:
    evidence = evidence_for_batch(world)
    found = examine_batched(
        evidence,
        proof_of(world, evidence, 1),
        basis=Basis(trust=world.trust, requirements=world.requirements),
        content=None,
        files=manifest_of(FILES),
    ).verdict()
    assert (found.kind, found.match) == ("output", Match.NOT_COMPARED)
    names = [part.name for part in found.parts]
    assert names == ["batch", "checkpoint", "run", "dataset", "conduct"]
    assert found.parts[0].signer == f"{world.registry}/bob"
    assert found.output is not None
    assert found.output.exact_sha256 == placed()[1].exact_sha256


def test_a_batch_of_one_has_no_hashes(world: World) -> None:
    evidence = evidence_for_batch(world, TEXTS[:1])
    proof = proof_of(world, evidence, 0, TEXTS[:1])
    found = examine_batched(
        evidence,
        proof,
        basis=Basis(trust=world.trust, requirements=world.requirements),
        content=Content.of(TEXTS[0].encode()),
    ).verdict()
    assert found.match is Match.IDENTICAL
    assert Placed.parse(proof.extra or b"").hashes == ()

# SPDX-License-Identifier: Apache-2.0
"""An output verifies down to data and conduct, and says how its text compares."""

from dataclasses import replace

import pytest

from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import (
    BadEnvelope,
    MissingEvidence,
    TextMismatch,
    UntrustedChain,
    VerificationError,
)
from assay.signing.evidence import Evidence
from assay.signing.statements import Origin, Statement
from assay.signing.verify import (
    Basis,
    Content,
    Match,
    Outcome,
    examine_output,
    verify_output,
)
from tests.signing.world import FILES, PART_STEPS, TEXT, World, manifest_of, output_claim

SAME = Content.of(TEXT.encode())


def failing(evidence: Evidence, world: World, content: Content | None = SAME) -> list[str]:
    found = examine_output(
        evidence, basis=Basis(trust=world.trust, requirements=world.requirements), content=content
    )
    return [step.code for step in found.failures]


def test_an_output_verifies_down_to_its_conduct(world: World) -> None:
    found = verify_output(
        world.evidence_for_output(),
        trust=world.trust,
        requirements=world.requirements,
        content=SAME,
    )
    assert found.kind == "output"
    assert found.match is Match.IDENTICAL
    assert [part.name for part in found.parts] == [
        "output",
        "checkpoint",
        "run",
        "dataset",
        "conduct",
    ]
    assert found.output is not None
    assert found.checkpoint is not None
    assert found.run is not None
    assert found.dataset is not None
    assert found.conduct is not None
    assert found.trust == world.trust
    assert {part.signed_before for part in found.parts} == {world.at}
    assert {part.size for part in found.parts} == {5}
    assert all(part.statement.predicate for part in found.parts)


def test_steps_are_numbered_and_have_names_of_their_own(world: World) -> None:
    steps = verify_output(
        world.evidence_for_output(),
        trust=world.trust,
        requirements=world.requirements,
        content=SAME,
    ).steps
    assert [step.number for step in steps] == list(range(1, 5 * PART_STEPS + 14))
    assert len({step.code for step in steps}) == len(steps)
    assert {step.part for step in steps} == {
        "output",
        "checkpoint",
        "run",
        "dataset",
        "conduct",
        "text",
        "heads",
    }
    assert all(step.title and step.detail for step in steps)


def test_one_changed_character_fails_exactly_one_step(world: World) -> None:
    evidence = world.evidence_for_output()
    changed = Content.of(TEXT.replace("hello", "hallo").encode())
    assert failing(evidence, world, changed) == ["text"]
    with pytest.raises(TextMismatch, match="not the same after normalising either") as caught:
        verify_output(evidence, trust=world.trust, requirements=world.requirements, content=changed)
    assert caught.value.step is not None
    assert caught.value.step.code == "text"
    assert len(caught.value.passed) == 5 * PART_STEPS


@pytest.mark.parametrize(
    "copied", [TEXT.replace("\n", "\r\n"), TEXT + "\n", TEXT.replace("é", "e\u0301"), TEXT.rstrip()]
)
def test_a_copied_text_is_the_same_but_never_called_identical(world: World, copied: str) -> None:
    content = Content.of(copied.encode())
    found = verify_output(
        world.evidence_for_output(),
        trust=world.trust,
        requirements=world.requirements,
        content=content,
    )
    assert found.match is Match.NORMALISED
    (step,) = (step for step in found.steps if step.code == "text")
    assert "identical" not in step.detail


def test_without_content_nothing_is_compared(world: World) -> None:
    found = verify_output(
        world.evidence_for_output(),
        trust=world.trust,
        requirements=world.requirements,
        content=None,
    )
    assert found.match is Match.NOT_COMPARED
    assert "text" not in {step.code for step in found.steps}


def test_the_checkpoints_files_can_be_compared_too(world: World) -> None:
    evidence = world.evidence_for_output()
    verify_output(
        evidence,
        trust=world.trust,
        requirements=world.requirements,
        content=SAME,
        files=manifest_of(FILES),
    )
    other = manifest_of({**FILES, "config.json": b"{}"})
    found = examine_output(
        evidence,
        basis=Basis(trust=world.trust, requirements=world.requirements),
        content=SAME,
        files=other,
    )
    assert [step.code for step in found.failures] == ["files"]


def test_bytes_that_are_no_text_cannot_be_normalised(world: World) -> None:
    content = Content.of(b"\xff\xfe")
    assert content.normalised_sha256 is None
    assert failing(world.evidence_for_output(), world, content) == ["text"]


def test_a_callers_digest_verifies_by_its_exact_bytes(world: World) -> None:
    evidence = world.evidence_for_output()
    below = evidence.bundles["checkpoint"].envelope.payload
    image = b"\x89PNG"
    claim = replace(
        output_claim("", evidence.manifest.id, sha256(below)),
        claim=Origin.CALLER_ASSERTED,
        exact_sha256=sha256(image),
        normalised_sha256=None,
        media_type="image/png",
    )
    bundle = world.bundle(world.sign(claim.statement(), Purpose.OUTPUT, "bob"))
    evidence = replace(evidence, bundles={**evidence.bundles, "output": bundle})
    found = verify_output(
        evidence, trust=world.trust, requirements=world.requirements, content=Content.of(image)
    )
    assert found.match is Match.IDENTICAL
    assert failing(evidence, world, Content.of(b"\x88PNG")) == ["text"]
    assert failing(evidence, world, Content.of(b"\xff")) == ["text"]


def test_evidence_without_an_output_says_so(world: World) -> None:
    with pytest.raises(MissingEvidence, match="a bundle for the output, found none"):
        verify_output(
            world.evidence_for_checkpoint(),
            trust=world.trust,
            requirements=world.requirements,
            content=SAME,
        )


def test_steps_that_cannot_be_reached_are_neither_passed_nor_failed(world: World) -> None:
    found = examine_output(
        world.evidence_for_checkpoint(),
        basis=Basis(trust=world.trust, requirements=world.requirements),
        content=SAME,
    )
    assert [step.code for step in found.failures] == ["output.statement"]
    waiting = [step.code for step in found.steps if step.outcome is Outcome.NOT_REACHED]
    assert waiting == [
        "output.time",
        "output.signer",
        "output.sct",
        "output.revocation",
        "output.signature",
        "output.entry",
        "output.tree-head",
        "text",
        "output.checkpoint",
        "output.conduct",
    ]


def test_a_statement_of_another_kind_is_refused_by_name(world: World) -> None:
    evidence = world.evidence_for_output()
    bundles = {**evidence.bundles, "output": evidence.bundles["run"]}
    with pytest.raises(VerificationError, match="keys for output may sign") as caught:
        verify_output(
            replace(evidence, bundles=bundles),
            trust=world.trust,
            requirements=world.requirements,
            content=SAME,
        )
    assert caught.value.code == "wrong-purpose"


def test_a_statement_with_a_wrong_field_is_a_bad_envelope(world: World) -> None:
    evidence = world.evidence_for_output()
    good = Statement.parse(evidence.bundles["output"].envelope.payload)
    bad = replace(good, predicate={**good.predicate, "claim": "sworn"})
    bundle = world.bundle(world.sign(bad, Purpose.OUTPUT, "alice"))
    bundles = {**evidence.bundles, "output": bundle}
    with pytest.raises(BadEnvelope, match="claim: expected server-generated or caller-asserted"):
        verify_output(
            replace(evidence, bundles=bundles),
            trust=world.trust,
            requirements=world.requirements,
            content=SAME,
        )


def test_a_strangers_registry_is_not_trusted(world: World) -> None:
    stranger = World.create(at=world.at, registry="http://stranger.test")
    found = examine_output(
        world.evidence_for_output(),
        basis=Basis(trust=stranger.trust, requirements=stranger.requirements),
        content=SAME,
    )
    failed = {step.code for step in found.failures}
    assert failed == {
        *(f"{part}.time" for part in ("output", "checkpoint", "run", "dataset", "conduct")),
        *(f"{part}.tree-head" for part in ("output", "checkpoint", "run", "dataset", "conduct")),
        "checkpoint.registry",
    }
    with pytest.raises(UntrustedChain, match="a chain to the pinned root"):
        found.verdict()

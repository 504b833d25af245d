# SPDX-License-Identifier: Apache-2.0
"""A checkpoint verifies by its files, its links and its parts, each failing for itself."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from assay.signing import oms
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import (
    BrokenLink,
    FileMismatch,
    MissingEvidence,
    VerificationError,
)
from assay.signing.evidence import Evidence
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import (
    Claim,
    ConductReference,
    RunClaim,
    RunReference,
)
from assay.signing.verify import (
    Basis,
    Outcome,
    Verified,
    examine_checkpoint,
    verify_checkpoint,
    verify_model,
)
from tests.signing.world import (
    AT,
    DATA,
    FILES,
    NODE,
    PART_STEPS,
    POLICY,
    REGISTRY,
    RUN,
    World,
    checkpoint_claim,
    conduct_claim,
    conduct_reference,
    dataset_claim,
    manifest_of,
    run_claim,
)

MANIFEST = manifest_of(FILES)
OTHER = "cd" * 32


def verified(world: World, evidence: Evidence, files: Manifest | None) -> Verified:
    """By a verifier of the world's present."""
    return verify_checkpoint(
        evidence, trust=world.trust, requirements=world.requirements, files=files
    )


def failing(
    evidence: Evidence, world: World, files: Manifest | None = MANIFEST
) -> list[tuple[str, str]]:
    found = examine_checkpoint(
        evidence, basis=Basis(trust=world.trust, requirements=world.requirements), files=files
    )
    return [(step.code, step.error.code) for step in found.failures if step.error]


def resigned(world: World, claim: Claim, purpose: Purpose, path: str = "alice") -> Bundle:
    return world.bundle(world.sign(claim.statement(), purpose, path))


def with_bundle(evidence: Evidence, **bundles: Bundle) -> Evidence:
    return replace(evidence, bundles={**evidence.bundles, **bundles})


def without(evidence: Evidence, part: str) -> Evidence:
    rest = {name: each for name, each in evidence.bundles.items() if name != part}
    return replace(evidence, bundles=rest)


def world_run(evidence: Evidence) -> RunReference:
    payload = evidence.bundles["run"].envelope.payload
    return RunReference(id=RUN, statement_sha256=sha256(payload))


def test_a_checkpoint_verifies_down_to_its_conduct(world: World) -> None:
    found = verified(world, world.evidence_for_checkpoint(), MANIFEST)
    assert found.kind == "checkpoint"
    assert [part.signer for part in found.parts] == [
        f"{REGISTRY}/alice",
        f"{REGISTRY}/nodes/{NODE}",
        f"{REGISTRY}/alice",
        f"{REGISTRY}/conduct",
    ]
    assert len(found.steps) == 4 * PART_STEPS + 11


def test_a_checkpoint_that_no_run_made_verifies_without_one(world: World) -> None:
    found = verified(world, world.evidence_for_upload(), MANIFEST)
    assert [part.name for part in found.parts] == ["checkpoint", "conduct"]
    assert (found.run, found.dataset) == (None, None)
    assert len(found.steps) == 2 * PART_STEPS + 7


def test_without_files_the_signed_manifest_alone_is_checked(world: World) -> None:
    found = verified(world, world.evidence_for_checkpoint(), None)
    assert "files" not in {step.code for step in found.steps}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({**FILES, "config.json": b'{"layers":5}\n'}, "changed: config.json"),
        ({**FILES, "extra.txt": b""}, "extra: extra.txt"),
        ({"config.json": FILES["config.json"]}, "missing: README.md, model.safetensors"),
        (
            {"weights" if name == "model.safetensors" else name: FILES[name] for name in FILES},
            "missing: model.safetensors; extra: weights",
        ),
    ],
)
def test_one_changed_file_fails_exactly_one_step(
    world: World, files: Mapping[str, bytes], says: str
) -> None:
    evidence = world.evidence_for_checkpoint()
    assert failing(evidence, world, manifest_of(files)) == [("files", "file-mismatch")]
    with pytest.raises(FileMismatch, match=says):
        verified(world, evidence, manifest_of(files))


def test_another_manifest_breaks_the_link_to_the_checkpoint(world: World) -> None:
    evidence = world.evidence_for_checkpoint()
    renamed = Manifest.of(
        FileEntry(name=f"x{entry.name}", sha256=entry.sha256, size=entry.size)
        for entry in MANIFEST.files
    )
    assert failing(replace(evidence, manifest=renamed), world, renamed) == [
        ("checkpoint.manifest", "broken-link")
    ]
    changed = manifest_of({**FILES, "config.json": b"{}"})
    assert failing(replace(evidence, manifest=changed), world, changed) == [
        ("checkpoint.manifest", "broken-link"),
        ("checkpoint.oms", "broken-link"),
    ]


def test_a_manifest_that_model_signatures_cannot_cover_fails_and_does_not_crash(
    world: World,
) -> None:
    evidence = replace(world.evidence_for_checkpoint(), manifest=manifest_of({".gitignore": b""}))
    assert failing(evidence, world, None) == [
        ("checkpoint.manifest", "broken-link"),
        ("checkpoint.oms", "bad-envelope"),
    ]


def test_another_policy_document_breaks_one_link(world: World) -> None:
    evidence = replace(world.evidence_for_checkpoint(), policy={**POLICY, "rules": []})
    assert failing(evidence, world) == [("conduct.policy", "broken-link")]


def test_a_sound_run_of_another_checkpoint_breaks_one_link(world: World) -> None:
    evidence = world.evidence_for_checkpoint()
    claim = run_claim(manifest_of(DATA), manifest_of(DATA).id, world.at)
    other = resigned(world, claim, Purpose.NODE, f"nodes/{NODE}")
    assert failing(with_bundle(evidence, run=other), world) == [("checkpoint.run", "broken-link")]


RUN_CLAIM = run_claim(MANIFEST, manifest_of(DATA).id, AT)


@pytest.mark.parametrize(
    "run",
    [
        replace(RUN_CLAIM, run="another"),
        replace(RUN_CLAIM, step=99),
        replace(RUN_CLAIM, manifest_sha256=OTHER),
    ],
)
def test_run_and_checkpoint_must_agree(world: World, run: RunClaim) -> None:
    evidence = world.evidence_for_checkpoint()
    reference = RunReference(id=RUN, statement_sha256=run.statement().sha256)
    checkpoint = checkpoint_claim(REGISTRY, MANIFEST, run=reference)
    evidence = with_bundle(
        evidence,
        run=resigned(world, run, Purpose.NODE, f"nodes/{NODE}"),
        checkpoint=resigned(world, checkpoint, Purpose.CHECKPOINT),
    )
    assert failing(evidence, world) == [("checkpoint.run", "broken-link")]


def test_a_run_that_the_checkpoint_does_not_name_is_refused(world: World) -> None:
    evidence = world.evidence_for_upload()
    made = world.evidence_for_checkpoint()
    evidence = with_bundle(evidence, run=made.bundles["run"], dataset=made.bundles["dataset"])
    evidence = replace(evidence, lists=made.lists)
    assert failing(evidence, world) == [
        ("checkpoint.run", "broken-link"),
        ("checkpoint.dataset", "broken-link"),
    ]


def test_another_sound_dataset_breaks_the_links_to_it(world: World) -> None:
    evidence = world.evidence_for_checkpoint()
    claim = replace(dataset_claim(), manifest_sha256=OTHER)
    other = resigned(world, claim, Purpose.CHECKPOINT)
    assert failing(with_bundle(evidence, dataset=other), world) == [
        ("checkpoint.dataset", "broken-link"),
        ("run.dataset", "broken-link"),
    ]


def test_a_dataset_that_only_the_run_names_cannot_be_left_out(world: World) -> None:
    evidence = world.evidence_for_checkpoint()
    run = world_run(evidence)
    claim = replace(checkpoint_claim(REGISTRY, MANIFEST, run=run), dataset_sha256=None)
    silent = with_bundle(evidence, checkpoint=resigned(world, claim, Purpose.CHECKPOINT))
    assert failing(without(silent, "dataset"), world) == [("dataset.statement", "missing-evidence")]
    assert failing(silent, world) == [("checkpoint.dataset", "broken-link")]
    other = resigned(world, replace(dataset_claim(), manifest_sha256=OTHER), Purpose.CHECKPOINT)
    assert failing(with_bundle(silent, dataset=other), world) == [
        ("checkpoint.dataset", "broken-link"),
        ("run.dataset", "broken-link"),
    ]


def test_a_dataset_without_a_run_is_linked_to_the_checkpoint_alone(world: World) -> None:
    evidence = world.evidence_for_upload()
    claim = replace(
        checkpoint_claim(REGISTRY, MANIFEST, run=None), dataset_sha256=manifest_of(DATA).id
    )
    evidence = with_bundle(
        evidence,
        checkpoint=resigned(world, claim, Purpose.CHECKPOINT),
        dataset=resigned(world, dataset_claim(), Purpose.CHECKPOINT),
    )
    found = verified(world, evidence, MANIFEST)
    assert found.dataset == dataset_claim()
    assert "run.dataset" not in {step.code for step in found.steps}


@pytest.mark.parametrize(
    "reference",
    [
        replace(conduct_reference(), version="2.0"),
        replace(conduct_reference(), id="other"),
        replace(conduct_reference(), sha256=OTHER),
    ],
)
def test_another_conduct_policy_breaks_every_link_to_it(
    world: World, reference: ConductReference
) -> None:
    evidence = world.evidence_for_checkpoint()
    claim = replace(conduct_claim(), conduct=reference)
    other = resigned(world, claim, Purpose.CONDUCT, "conduct")
    codes = [code for code, _ in failing(with_bundle(evidence, conduct=other), world)]
    assert [code for code in codes if code != "conduct.policy"] == [
        "run.conduct",
        "checkpoint.conduct",
    ]


def test_a_checkpoint_of_another_registry_is_refused(world: World) -> None:
    evidence = world.evidence_for_upload()
    claim = checkpoint_claim("http://other.test", MANIFEST, run=None)
    evidence = with_bundle(evidence, checkpoint=resigned(world, claim, Purpose.CHECKPOINT))
    assert failing(evidence, world) == [("checkpoint.registry", "broken-link")]


def test_a_checkpoint_that_names_another_oms_root_is_refused(world: World) -> None:
    evidence = world.evidence_for_upload()
    claim = replace(checkpoint_claim(REGISTRY, MANIFEST, run=None), oms_sha256=OTHER)
    evidence = with_bundle(evidence, checkpoint=resigned(world, claim, Purpose.CHECKPOINT))
    assert failing(evidence, world) == [("checkpoint.oms", "broken-link")]


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ("checkpoint", "checkpoint"),
        ("run", "run"),
        ("dataset", "dataset"),
        ("conduct", "conduct policy"),
    ],
)
def test_a_part_that_is_named_must_be_there(world: World, part: str, missing: str) -> None:
    evidence = without(world.evidence_for_checkpoint(), part)
    assert failing(evidence, world) == [(f"{part}.statement", "missing-evidence")]
    with pytest.raises(MissingEvidence, match=f"a bundle for the {missing}, found none"):
        verified(world, evidence, MANIFEST)


def test_what_a_missing_part_would_have_told_is_not_reached(world: World) -> None:
    evidence = without(world.evidence_for_checkpoint(), "conduct")
    found = examine_checkpoint(
        evidence, basis=Basis(trust=world.trust, requirements=world.requirements), files=MANIFEST
    )
    waiting = [step.code for step in found.steps if step.outcome is Outcome.NOT_REACHED]
    assert waiting[-3:] == ["run.conduct", "checkpoint.conduct", "conduct.policy"]


@pytest.mark.parametrize(
    ("part", "purpose", "path", "says"),
    [
        (
            "checkpoint",
            Purpose.CHECKPOINT,
            "bob",
            "expected the signer http://registry.test/alice,",
        ),
        ("dataset", Purpose.CHECKPOINT, "bob", "expected the signer http://registry.test/alice,"),
        ("run", Purpose.NODE, "nodes/other", "expected the signer http://registry.test/nodes/7f1f"),
        ("conduct", Purpose.CONDUCT, "alice", "expected the signer http://registry.test/conduct,"),
    ],
)
def test_nobody_else_can_sign_in_the_place_of_whom_it_concerns(
    world: World, part: str, purpose: Purpose, path: str, says: str
) -> None:
    evidence = world.evidence_for_checkpoint()
    payload = evidence.bundles[part].envelope.payload
    forged = world.bundle(world.sign_payload(payload, purpose, path))
    evidence = with_bundle(evidence, **{part: forged})
    assert failing(evidence, world) == [(f"{part}.signer", "broken-link")]
    with pytest.raises(BrokenLink, match=says):
        verified(world, evidence, MANIFEST)


@pytest.mark.parametrize("purpose", [each for each in Purpose if each is not Purpose.CHECKPOINT])
def test_a_key_for_another_purpose_cannot_sign_a_checkpoint(world: World, purpose: Purpose) -> None:
    evidence = world.evidence_for_checkpoint()
    payload = evidence.bundles["checkpoint"].envelope.payload
    forged = world.bundle(world.sign_payload(payload, purpose, "alice"))
    evidence = with_bundle(evidence, checkpoint=forged)
    assert failing(evidence, world) == [("checkpoint.signer", "wrong-purpose")]


def test_a_model_signature_verifies_the_files_beside_it(world: World) -> None:
    found = verify_model(world.model_signature(), basis=world.basis(), files=MANIFEST)
    assert found.kind == "model"
    assert [step.code for step in found.steps][-1] == "files"
    other = manifest_of({**FILES, "config.json": b"{}", "new.txt": b""})
    with pytest.raises(FileMismatch, match=r"differences in config\.json, new\.txt"):
        verify_model(world.model_signature(), basis=world.basis(), files=other)


def test_a_model_signature_is_held_to_the_checkpoint_without_files_too(world: World) -> None:
    evidence, signature = world.evidence_for_checkpoint(), world.model_signature()
    found = examine_checkpoint(
        evidence,
        basis=Basis(trust=world.trust, requirements=world.requirements),
        files=None,
        signature=signature,
    )
    codes = [step.code for step in found.steps]
    assert ("model.checkpoint" in codes, "model.files" in codes) == (True, False)
    assert [part.name for part in found.verdict().parts][-1] == "model"


def test_the_root_digest_alone_does_not_make_a_checkpoint(world: World) -> None:
    renamed = Manifest.of(replace(entry, name=f"x{entry.name}") for entry in MANIFEST.files)
    assert oms.root_digest(renamed) == oms.root_digest(MANIFEST)
    with pytest.raises(VerificationError):
        verified(world, world.evidence_for_checkpoint(), renamed)


def test_the_statement_digest_is_that_of_the_signed_bytes(world: World) -> None:
    found = verified(world, world.evidence_for_checkpoint(), MANIFEST)
    assert found.checkpoint is not None
    assert found.checkpoint.run is not None
    run = next(part for part in found.parts if part.name == "run")
    assert found.checkpoint.run.statement_sha256 == run.statement.sha256
    assert run.statement.sha256 == sha256(run.statement.canonical())

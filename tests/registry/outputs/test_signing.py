# SPDX-License-Identifier: Apache-2.0
"""What is signed says no more than the registry knows, and is shown once it is in the ledger."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from assay.signing.digests import normalised_text, sha256
from assay.signing.errors import Outcome, TextMismatch
from assay.signing.evidence import Evidence
from assay.signing.statements import OUTPUT_V1, OUTPUT_V2, Origin, commit
from assay.signing.verify import Basis, Content, Match, examine_output, verify_output
from registry.accounts import pseudonyms
from registry.accounts.models import User
from registry.api.problems import NotFound
from registry.audit.models import AuditRow
from registry.catalog.models import Checkpoint
from registry.events.models import Event
from registry.ledger.models import Statement
from registry.outputs import queries, services, tasks
from registry.outputs.models import Output, State
from registry.outputs.signing import claim_of
from tests.registry.conduct.published import first_version
from tests.registry.outputs import world
from tests.registry.outputs.world import TEXT
from tests.registry.pool.world import Lab
from tests.registry.verifying import demands
from tests.running import Authority


@pytest.fixture
def lab(real_lab: Lab) -> Lab:
    """Here everything is signed and verified."""
    return real_lab


@pytest.fixture
def checkpoint(real_checkpoint: Checkpoint) -> Checkpoint:
    """And so is the checkpoint."""
    return real_checkpoint


def evidence_of(output: Output) -> Evidence:
    """As whoever got the answer reads it."""
    seen = queries.outputs().get(pk=output.pk)
    said: dict[str, Any] = json.loads(json.dumps(queries.answer(seen)))
    return Evidence.parse(said["evidence"])


def asserted(lab: Lab, checkpoint: Checkpoint, **digests: str) -> Output:
    """Bob's word for content that he shows to nobody."""
    assertion = services.Assertion.parse(
        {
            "checkpoint": f"sha256:{checkpoint.manifest_sha256}",
            "media_type": "image/png",
            "digests": digests,
        }
    )
    output = services.assert_content(assertion, by=lab.people.bob)
    services.advance(output.pk)
    return Output.objects.get(pk=output.pk)


def test_a_text_verifies_down_to_the_run_that_made_its_checkpoint(
    lab: Lab, operator: User, authority: Authority
) -> None:
    checkpoint = world.trained(lab, 20)
    world.ask(lab, checkpoint)
    output = world.generate(operator)
    assert output.state == State.SIGNED
    verified = verify_output(
        evidence_of(output),
        trust=authority.trust_root,
        requirements=demands(),
        content=Content.of(TEXT.encode()),
    )
    assert verified.match is Match.IDENTICAL
    assert verified.output is not None
    assert verified.output.claim is Origin.SERVER_GENERATED
    assert verified.output.checkpoint_sha256 == checkpoint.manifest_sha256
    assert verified.run is not None
    assert verified.run.run == str(lab.run.id)
    part = next(part for part in verified.parts if part.name == "output")
    bob = lab.people.bob.namespace
    assert (part.signer, part.pseudonym) == (bob.uri, pseudonyms.certified_as(bob))


def test_one_changed_character_breaks_the_text_and_nothing_else(
    lab: Lab, checkpoint: Checkpoint, operator: User, authority: Authority
) -> None:
    world.ask(lab, checkpoint)
    evidence = evidence_of(world.generate(operator))
    changed = Content.of(TEXT.replace("self", "sell").encode())
    with pytest.raises(TextMismatch):
        verify_output(evidence, trust=authority.trust_root, requirements=demands(), content=changed)
    examination = examine_output(
        evidence, basis=Basis(trust=authority.trust_root, requirements=demands()), content=changed
    )
    wrong = [step.part for step in examination.steps if step.outcome is not Outcome.PASSED]
    assert wrong == ["text"]


def test_what_copying_changes_is_forgiven_and_said(
    lab: Lab, checkpoint: Checkpoint, operator: User, authority: Authority
) -> None:
    world.ask(lab, checkpoint)
    copied = normalised_text(TEXT).replace("\n", "\r\n")
    verified = verify_output(
        evidence_of(world.generate(operator)),
        trust=authority.trust_root,
        requirements=demands(),
        content=Content.of(copied.encode()),
    )
    assert verified.match is Match.NORMALISED


def test_lines_of_a_text_verify_by_the_evidence_that_is_served(
    lab: Lab, checkpoint: Checkpoint, operator: User, authority: Authority
) -> None:
    world.ask(lab, checkpoint)
    output = world.generate(operator)
    evidence = evidence_of(output)
    assert queries.evidence(queries.outputs().get(pk=output.pk)).lines == evidence.lines
    verified = verify_output(
        evidence,
        trust=authority.trust_root,
        requirements=replace(demands(), accepts_excerpt=True),
        content=Content.of("    return 'café'\r\n".encode()),
    )
    assert (verified.match, str(verified.excerpt)) == (Match.EXCERPT, "line 2 of 2")
    assert output.statement is not None
    assert output.statement.predicate_type == OUTPUT_V2


def test_evidence_goes_on_without_the_lines_of_a_text_that_was_erased(
    lab: Lab, checkpoint: Checkpoint, operator: User, authority: Authority
) -> None:
    world.ask(lab, checkpoint)
    output = world.generate(operator)
    Output.objects.filter(pk=output.pk).update(text="")
    evidence = evidence_of(Output.objects.get(pk=output.pk))
    assert evidence.lines is None
    content = Content.of(TEXT.encode())
    trust = authority.trust_root
    verified = verify_output(evidence, trust=trust, requirements=demands(), content=content)
    assert verified.match is Match.IDENTICAL


def test_what_has_no_line_is_signed_without(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(lab, checkpoint)
    output = world.generate(operator, text=" \n")
    assert output.statement is not None
    assert output.statement.predicate_type == OUTPUT_V1
    assert evidence_of(output).lines is None


def test_the_request_is_committed_to_and_its_caller_can_open_it(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(lab, checkpoint)
    output = queries.outputs().get(pk=world.generate(operator).pk)
    request: Any = queries.answer(output)["request"]
    claim = claim_of(output)
    assert claim.request_commitment == commit(bytes.fromhex(request["salt"]), request["document"])
    assert request["document"] == world.asked_of(checkpoint)
    asked = {"max_new_bytes": 64, "temperature": "0.7", "seed": 7}
    assert claim.generation == {**asked, "mark": None}
    assert "def " not in str(claim.statement().canonical())


def test_a_callers_digests_are_signed_as_the_callers_word(
    lab: Lab, checkpoint: Checkpoint, authority: Authority
) -> None:
    content = b"a picture"
    output = asserted(lab, checkpoint, sha256=sha256(content))
    verified = verify_output(
        evidence_of(output),
        trust=authority.trust_root,
        requirements=demands(),
        content=Content.of(content),
    )
    assert verified.output is not None
    assert verified.output.claim is Origin.CALLER_ASSERTED
    assert verified.output.request_commitment is None
    assert verified.output.generation is None
    seen = queries.answer(queries.outputs().get(pk=output.pk))
    assert (seen["text"], seen["claim"]) == (None, "caller-asserted")


def test_a_caller_may_add_the_digest_of_the_normalised_text(
    lab: Lab, checkpoint: Checkpoint
) -> None:
    output = asserted(lab, checkpoint, sha256="1" * 64, normalised="2" * 64)
    claim = claim_of(queries.outputs().get(pk=output.pk))
    assert claim.normalised_sha256 == "2" * 64


def test_withdrawing_between_request_and_signature_leaves_it_unsigned(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(lab, checkpoint)
    statements = Statement.objects.count()
    lab.withdraw(lab.people.bob)
    output = world.generate(operator)
    assert (output.state, output.failure) == (State.FAILED, "conduct-not-accepted")
    assert Statement.objects.count() == statements
    said = queries.answer(queries.outputs().get())
    assert "evidence" not in said
    assert "text" not in said
    lab.accept(lab.people.bob)
    tasks.sweep()
    assert Output.objects.get().state == State.FAILED
    assert AuditRow.objects.filter(action="output.refuse").count() == 1


def test_what_the_signer_refuses_for_ever_fails_with_a_reason(
    lab: Lab, checkpoint: Checkpoint, operator: User, settings: Settings
) -> None:
    world.ask(lab, checkpoint)
    settings.PUBLIC_URL = "http://elsewhere"  # whose statements this signer does not sign
    output = world.generate(operator)
    assert (output.state, output.failure) == (State.FAILED, "never-signed")
    assert "http://elsewhere" in output.reason
    assert services.unsigned() == []


def test_without_a_signer_the_text_waits_for_the_sweep(
    lab: Lab, checkpoint: Checkpoint, operator: User, authority: Authority
) -> None:
    world.ask(lab, checkpoint)
    authority.stop()
    waiting = world.generate(operator)
    assert (waiting.state, waiting.statement) == (State.GENERATED, None)
    authority.start()
    tasks.sweep()
    assert Output.objects.get().state == State.SIGNED


def test_a_crash_after_signing_is_taken_up_by_the_sweep(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(lab, checkpoint)
    signed = world.generate(operator)
    Output.objects.update(state=State.GENERATED, ended_at=None)  # the last commit never came
    tasks.sweep()
    output = Output.objects.get()
    assert (output.state, output.statement) == (State.SIGNED, signed.statement)


def test_advancing_again_signs_once(lab: Lab, checkpoint: Checkpoint, operator: User) -> None:
    world.ask(lab, checkpoint)
    output = world.generate(operator)
    statements = Statement.objects.count()
    services.advance(output.pk)
    assert Statement.objects.count() == statements
    assert AuditRow.objects.filter(action="output.sign").count() == 1


def test_a_sample_is_told_to_those_who_follow_the_run(lab: Lab, operator: User) -> None:
    checkpoint = world.trained(lab, 20)
    services.queue_samples()
    assert queries.newest_sample() is None
    sample = world.generate(operator)
    event = Event.objects.get(kind="sample")
    assert event.topic == lab.run.topic
    assert event.data == {
        "output": str(sample.id),
        "checkpoint": f"sha256:{checkpoint.manifest_sha256}",
        "step": 20,
        "text": TEXT,
    }
    assert list(queries.samples(lab.run.id)) == [sample]
    assert queries.newest_sample() == sample


def test_the_conduct_is_the_checkpoints_not_the_projects_of_today(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(lab, checkpoint)
    output = queries.outputs().get(pk=world.generate(operator).pk)
    version = first_version()
    assert claim_of(output).conduct.sha256 == checkpoint.conduct.sha256 == version.sha256


def test_an_output_that_is_not_signed_has_no_evidence(lab: Lab, checkpoint: Checkpoint) -> None:
    output = queries.outputs().get(pk=world.ask(lab, checkpoint).pk)
    with pytest.raises(NotFound, match="found one that is queued"):
        queries.evidence(output)
    assert queries.answer(output)["state"] == "queued"
    assert timezone.now() > output.created_at

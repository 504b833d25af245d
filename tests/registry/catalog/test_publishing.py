# SPDX-License-Identifier: Apache-2.0
"""The publish machine: received, signed, published; and the evidence that comes out of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from assay.signing import oms
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.evidence import Evidence, Part
from assay.signing.manifest import SIGNATURE_NAME, Manifest
from assay.signing.statements import CheckpointClaim, Statement
from assay.signing.verify import verify_bundle, verify_checkpoint
from registry.accounts.models import Namespace
from registry.audit.models import AuditRow
from registry.authority import services as authority_services
from registry.catalog import queries, services
from registry.catalog.models import Checkpoint, File, State
from registry.catalog.services import receiving
from registry.conduct import services as conduct
from registry.events.models import Event
from registry.ledger import queries as ledger
from registry.storage import quotas
from registry.storage import services as storage
from registry.storage.errors import QuotaExceeded
from tests.registry.catalog.world import CARD, World, by_node, by_person, publish
from tests.registry.verifying import basis, demands
from tests.running import Authority


def test_a_received_checkpoint_is_acknowledged_and_nobody_elses_to_see(world: World) -> None:
    checkpoint = services.receive(by_person(world))
    assert checkpoint.state == State.RECEIVED
    assert queries.visible(None).count() == 0
    assert queries.visible(world.people.charlie).count() == 0
    assert queries.visible(world.people.bob).get() == checkpoint
    assert queries.published_in(world.project).count() == 0


def test_a_checkpoint_whose_files_are_in_a_bucket_is_published_and_read(
    bucket: str, world: World, client: Client
) -> None:
    checkpoint = publish(by_person(world))
    assert checkpoint.state == State.PUBLISHED
    assert "<h1>" in checkpoint.card_html
    with storage.open_blob(queries.files(checkpoint)[0].sha256) as file:
        assert file.read()
    assert client.get(checkpoint.path).status_code == 200


def test_what_is_published_counts_as_stored_by_the_owner(world: World) -> None:
    checkpoint = services.receive(by_person(world))
    files = {file.sha256: file.size for file in queries.files(checkpoint)}
    assert quotas.use_of("organisation:lab").used_bytes == sum(files.values())


def test_an_owner_who_may_store_no_more_publishes_no_more(world: World) -> None:
    quotas.allow("organisation:lab", 1)
    with pytest.raises(QuotaExceeded, match="at most 1 bytes stored by organisation:lab"):
        services.receive(by_person(world))
    assert not Checkpoint.objects.exists()
    assert quotas.use_of("organisation:lab").used_bytes == 0


def test_its_page_is_for_those_who_act_for_the_owner_until_it_is_published(
    world: World, client: Client
) -> None:
    path = services.receive(by_person(world)).path
    assert client.get(path).status_code == 404
    client.force_login(world.people.bob)
    page = client.get(path)
    assert page.status_code == 200
    assert "only those who act for its owner can see it" in page.content.decode()


def test_advancing_publishes_it(world: World) -> None:
    checkpoint = publish(by_person(world))
    assert checkpoint.state == State.PUBLISHED
    assert checkpoint.published_at is not None
    assert queries.visible(None).get() == checkpoint


def test_a_published_checkpoint_verifies_from_its_evidence(
    world: World, authority: Authority
) -> None:
    checkpoint = publish(by_node(world))
    document = json.loads(queries.evidence(checkpoint).canonical())
    evidence = Evidence.parse(document)
    assert set(evidence.bundles) == {*Part} - {
        Part.OUTPUT,
        Part.BATCH,
        Part.TAKEDOWN,
        Part.EVALUATION,
        Part.WITHDRAWAL,
    }
    verify_checkpoint(
        evidence,
        trust=authority.trust_root,
        requirements=demands(),
        files=queries.manifest(checkpoint),
    )


def test_a_persons_checkpoint_verifies_without_a_run(world: World, authority: Authority) -> None:
    checkpoint = publish(by_person(world))
    evidence = queries.evidence(checkpoint)
    assert set(evidence.bundles) == {Part.CHECKPOINT, Part.MODEL, Part.CONDUCT}
    verify_checkpoint(
        evidence,
        trust=authority.trust_root,
        requirements=demands(),
        files=queries.manifest(checkpoint),
    )


def test_the_statement_names_files_run_data_and_conduct(world: World) -> None:
    checkpoint = publish(by_node(world, step=30))
    assert checkpoint.statement is not None
    assert checkpoint.run_statement is not None
    claim = CheckpointClaim.parse(Statement.parse(bytes(checkpoint.statement.payload)))
    assert claim.manifest_sha256 == queries.manifest(checkpoint).id
    assert (claim.project, claim.name, claim.step) == ("lab/small", "step-000030", 30)
    assert claim.run is not None
    assert claim.run.statement_sha256 == checkpoint.run_statement.sha256
    assert claim.dataset_sha256 == world.dataset.sha256
    assert claim.conduct.sha256 == world.conduct.sha256
    assert claim.oms_sha256 == oms.root_digest(queries.manifest(checkpoint))


def test_model_sig_is_a_bundle_beside_the_files(world: World, authority: Authority) -> None:
    checkpoint = publish(by_person(world))
    found = queries.file_for("lab", "small", "first", SIGNATURE_NAME)
    assert found is not None
    with storage.open_blob(found[0]) as file:
        bundle = Bundle.parse(json.loads(file.read()))
    verify_bundle(bundle, basis=basis(authority), purpose=Purpose.CHECKPOINT)
    signed = oms.parse(Statement.parse(bundle.envelope.payload))
    assert [each.name for each in signed.resources] == [
        file.name for file in queries.manifest(checkpoint).files
    ]


def test_model_sigstore_json_is_the_same_signature_for_sigstores_clients(
    world: World, authority: Authority
) -> None:
    checkpoint = publish(by_person(world))
    found = [queries.signature(checkpoint), queries.sigstore(checkpoint)]
    oms_form, sigstore_form = (content(file) for file in found)
    material = sigstore_form["verificationMaterial"]
    assert oms_form["dsseEnvelope"] == sigstore_form["dsseEnvelope"]
    chain = oms_form["verificationMaterial"].pop("x509CertificateChain")
    assert material.pop("certificate") == chain["certificates"][0]
    assert material == oms_form["verificationMaterial"]
    assert queries.identity(checkpoint).issuer == authority.trust_root.registry


def content(file: File | None) -> dict[str, Any]:
    assert file is not None
    with storage.open_blob(file.sha256) as stream:
        found: dict[str, Any] = json.loads(stream.read())
    return found


def test_what_was_signed_before_there_was_a_second_wrapper_is_published_without(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def statement(name: str, manifest: Manifest) -> Statement:
        said = oms.ModelSignature.of(name, manifest)
        return replace(said, ignored=oms.IGNORED_BEFORE).statement()

    monkeypatch.setattr(oms, "statement", statement)
    checkpoint = publish(by_person(world))
    assert queries.signature(checkpoint) is not None
    assert queries.sigstore(checkpoint) is None


def test_publishing_tells_the_runs_followers(world: World) -> None:
    checkpoint = publish(by_node(world))
    event = Event.objects.get(kind="checkpoint")
    assert event.topic == f"run:{checkpoint.run_id}"
    assert event.data == {
        "id": f"sha256:{checkpoint.manifest_sha256}",
        "name": "step-000010",
        "step": 10,
        "state": "published",
        "url": "http://localhost:8000/lab/small/step-000010",
    }


def test_each_change_of_state_has_one_audit_row(world: World) -> None:
    checkpoint = publish(by_person(world))
    services.advance(checkpoint.pk)
    rows = AuditRow.objects.filter(subject="lab/small@first").order_by("id")
    assert [(row.actor, row.action) for row in rows] == [
        ("user:alice", "checkpoint.receive"),
        ("system", "checkpoint.sign"),
        ("system", "checkpoint.publish"),
    ]


def test_the_card_is_rendered(world: World) -> None:
    checkpoint = publish(by_person(world))
    assert CARD.startswith(b"# A small model")
    assert "<h1>A small model</h1>" in checkpoint.card_html


def test_advancing_again_changes_nothing(world: World) -> None:
    first = publish(by_person(world))
    size = ledger.tree_head().size
    again = services.advance(first.pk)
    assert again.published_at == first.published_at
    assert ledger.tree_head().size == size


def test_what_was_withdrawn_in_the_meantime_is_rejected_with_a_reason(world: World) -> None:
    checkpoint = services.receive(by_person(world))
    conduct.withdraw(world.conduct, world.lab, world.people.alice)
    rejected = services.advance(checkpoint.pk)
    assert rejected.state == State.REJECTED
    assert "live acceptance" in rejected.reason
    assert rejected.statement is None
    assert AuditRow.objects.filter(action="checkpoint.reject").count() == 1
    assert queries.visible(None).count() == 0


def test_a_node_whose_certificate_no_longer_holds_is_rejected(world: World) -> None:
    checkpoint = services.receive(by_node(world))
    other = "".join(authority_services.pems(ledger.chain(world.conduct.statement)))
    Checkpoint.objects.filter(pk=checkpoint.pk).update(run_chain=other)
    rejected = services.advance(checkpoint.pk)
    assert rejected.state == State.REJECTED
    assert "the node's certificate" in rejected.reason


def test_a_rejected_checkpoint_frees_its_name_and_files(world: World) -> None:
    submission = by_person(world)
    checkpoint = services.receive(submission)
    conduct.withdraw(world.conduct, world.lab, world.people.alice)
    services.advance(checkpoint.pk)
    conduct.accept(world.conduct, Namespace.objects.get(pk=world.lab.pk), world.people.alice)
    again = publish(submission)
    assert again.state == State.PUBLISHED
    assert queries.checkpoint(again.manifest_sha256, world.people.alice) == again


def test_while_the_signer_is_away_it_waits(world: World, authority: Authority) -> None:
    checkpoint = services.receive(by_person(world))
    authority.stop()
    try:
        assert services.sweep() == 0
        assert Checkpoint.objects.get().state == State.RECEIVED
    finally:
        authority.start()
    assert services.sweep() == 1
    assert Checkpoint.objects.get(pk=checkpoint.pk).state == State.PUBLISHED


def test_one_that_cannot_go_on_does_not_hold_up_the_others(world: World) -> None:
    stuck = services.receive(by_node(world))
    Checkpoint.objects.filter(pk=stuck.pk).update(run_chain="nothing")
    free = services.receive(by_person(world))
    services.sweep()
    assert Checkpoint.objects.get(pk=free.pk).state == State.PUBLISHED
    assert Checkpoint.objects.get(pk=stuck.pk).state == State.REJECTED


def test_what_can_never_be_signed_is_rejected_with_a_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_check_signable", lambda _: None)  # as it once was
    checkpoint = services.receive(by_person(world, files={".github/x.json": b"{}"}))
    rejected = services.advance(checkpoint.pk)
    assert rejected.state == State.REJECTED
    assert rejected.reason.startswith("it can never be signed: ")
    assert not queries.underway()


def test_what_the_signer_refuses_for_ever_is_rejected(world: World, settings: Settings) -> None:
    checkpoint = services.receive(by_person(world))
    settings.PUBLIC_URL = "http://elsewhere"  # whose statements this signer does not sign
    rejected = services.advance(checkpoint.pk)
    assert rejected.state == State.REJECTED
    assert "http://elsewhere" in rejected.reason


def test_no_evidence_before_it_is_published(world: World) -> None:
    checkpoint = services.receive(by_person(world))
    with pytest.raises(Exception, match="published"):
        queries.evidence(checkpoint)


def test_the_sweep_also_integrates_what_nobody_waits_for(world: World) -> None:
    conduct.accept(world.conduct, world.people.charlie.namespace, world.people.charlie)
    assert ledger.has_pending()
    services.sweep()
    assert not ledger.has_pending()


def test_while_the_signer_is_away_the_sweep_says_so_and_goes_on(
    world: World, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    conduct.accept(world.conduct, world.people.charlie.namespace, world.people.charlie)
    authority.stop()
    try:
        assert services.sweep() == 0
    finally:
        authority.start()
    assert "the ledger's pending entries wait: no signer answers" in caplog.text
    assert ledger.has_pending()

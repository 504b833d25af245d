# SPDX-License-Identifier: Apache-2.0
"""A picture that was generated here carries a C2PA manifest that says so, made once."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone

from assay.signing.credentials import judge
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence, Part
from assay.signing.signer.errors import SignerUnavailable
from assay.signing.statements import Origin
from assay.signing.verify import Content, Match, examine_output
from assay.trainers.pictures import files
from registry.accounts.models import User
from registry.audit.models import AuditRow
from registry.authority import services as authority_services
from registry.catalog.models import Checkpoint, Project
from registry.outputs import queries, services, tasks
from registry.outputs.errors import UnusablePicture
from registry.outputs.models import Output, Picture, State
from registry.outputs.pictures import bindings, chunks, taking
from registry.outputs.pictures.taking import Delivered
from tests.reading import read
from tests.registry.outputs.media.sending import anchor
from tests.registry.outputs.media.test_every_kind import MADE, assertion
from tests.registry.people import client_of
from tests.registry.pool.world import Lab
from tests.registry.verifying import basis
from tests.running import Authority
from tests.signing.marking import key

from . import drawn


def reported(output: Output, authority: Authority) -> Any:  # noqa: ANN401 - JSON
    """C2PA's own library about an output's file."""
    return read("image/png", bytes(output.picture.file), anchor=anchor(authority))


def deliver(of: Output, what: Delivered, operator: User) -> Output:
    assert of.lease_id is not None
    return taking.complete(of.lease_id, what, holder=operator, now=timezone.now())


@pytest.fixture
def work(lab: Lab, checkpoint: Checkpoint, operator: User) -> Output:
    drawn.ask(lab, checkpoint)
    leased = services.lease(holder=operator, node="generator", now=timezone.now())
    assert leased is not None
    return leased


def test_its_manifest_is_trusted_and_says_that_it_was_generated_here(
    signed: Output, checkpoint: Checkpoint, authority: Authority
) -> None:
    found = reported(signed, authority)
    assert found["validation_state"] == "Trusted"
    said = judge(found, registry=settings.PUBLIC_URL)
    assert said.claim is Origin.SERVER_GENERATED
    assert (said.output, said.checkpoint_sha256) == (str(signed.pk), checkpoint.manifest_sha256)
    evidence = Evidence.parse(queries.evidence(signed).to_json())
    assert said.index == evidence.bundles[Part.CHECKPOINT].proof.index
    content = Content.of(bytes(signed.picture.file))
    seen = examine_output(evidence, basis=basis(authority), content=content).verdict()
    assert seen.match is Match.IDENTICAL
    assert seen.output is not None
    said.check(seen.output)


def test_it_says_what_made_it_and_how_it_is_found_again(
    signed: Output, checkpoint: Checkpoint, authority: Authority
) -> None:
    (manifest,) = reported(signed, authority)["manifests"].values()
    created, marked = assertion(manifest, "c2pa.actions.v2")["actions"]
    assert (created["action"], created["digitalSourceType"]) == ("c2pa.created", MADE)
    assert marked["action"] == "c2pa.watermarked.bound"
    disclosed = assertion(manifest, "c2pa.ai-disclosure")
    assert disclosed["modelIdentifier"] == f"sha256:{checkpoint.manifest_sha256}"
    (ingredient,) = manifest["ingredients"]
    assert ingredient["title"] == checkpoint.full_name
    bound = [each["data"] for each in manifest["assertions"] if "soft-binding" in each["label"]]
    assert bound == list(bindings.of(signed.picture))
    assert [each["alg"] for each in bound] == ["assay.tile.1", "assay.cosine.1"]


def test_without_a_mark_it_says_of_none(
    lab: Lab, checkpoint: Checkpoint, operator: User, authority: Authority
) -> None:
    drawn.ask(lab, checkpoint)
    (manifest,) = reported(drawn.answer(operator), authority)["manifests"].values()
    (action,) = assertion(manifest, "c2pa.actions.v2")["actions"]
    assert action["action"] == "c2pa.created"
    assert assertion(manifest, "c2pa.soft-binding")["alg"] == "assay.cosine.1"


def test_nothing_that_is_not_everybodys_is_in_it(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    drawn.ask(lab, checkpoint)
    Project.objects.update(visibility="private")
    output = drawn.answer(operator, key())
    store = chunks.store(bytes(output.picture.file)) or b""
    assert checkpoint.manifest_sha256.encode() in store
    assert checkpoint.full_name.encode() not in store


def test_what_the_program_drew_is_in_it_byte_by_byte(work: Output, operator: User) -> None:
    pixels, what = drawn.delivered(work, key())
    services.advance(deliver(work, what, operator).pk)
    file = bytes(Picture.objects.get().file)
    assert chunks.without_store(file) == what.file
    assert np.array_equal(files.read(io.BytesIO(file)), pixels)  # which `regenerate` compares
    assert 0 < len(file) - len(what.file) < 20_000


def test_it_is_made_once_however_often_the_picture_is_delivered(
    work: Output, operator: User
) -> None:
    _, what = drawn.delivered(work, key())
    files = set()
    for _ in range(3):
        services.advance(deliver(work, what, operator).pk)
        files.add(bytes(Picture.objects.get().file))
        tasks.sweep()
    assert len(files) == 1
    output = Output.objects.get()
    assert (output.state, output.sha256) == (State.SIGNED, sha256(files.pop()))
    assert AuditRow.objects.filter(action="output.generate").count() == 1


def test_while_the_signer_is_away_it_waits_and_shows_nothing(
    work: Output, operator: User, authority: Authority, lab: Lab
) -> None:
    _, what = drawn.delivered(work, key())
    authority.stop()
    try:
        services.advance(deliver(work, what, operator).pk)
    finally:
        authority.start()
    assert Output.objects.get().state == State.GENERATED
    assert bytes(Picture.objects.get().file) == what.file
    url = f"/api/v1/outputs/{work.pk}/content"
    assert client_of(lab.people.bob, "outputs").get(url).status_code == 404
    tasks.sweep()
    output = Output.objects.get()
    assert output.state == State.SIGNED
    assert judge(reported(output, authority), registry=settings.PUBLIC_URL).output == str(work.pk)


def test_a_manifest_whose_statement_was_not_signed_is_made_again(
    work: Output, operator: User, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process dies between the two."""

    def gone(*_: object) -> None:
        raise SignerUnavailable("no signer answers")

    _, what = drawn.delivered(work, key())
    deliver(work, what, operator)
    with monkeypatch.context() as dying:
        dying.setattr(authority_services, "sign", gone)
        services.advance(work.pk)
    output = Output.objects.get()
    assert (output.state, output.sha256) == (State.GENERATED, sha256(what.file))
    assert bytes(output.picture.file) == what.file
    services.advance(work.pk)
    output = Output.objects.get()
    assert (output.state, output.sha256) == (State.SIGNED, sha256(bytes(output.picture.file)))
    assert judge(reported(output, authority), registry=settings.PUBLIC_URL).output == str(work.pk)


def test_a_picture_that_brings_a_manifest_is_refused(
    signed: Output, lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    drawn.ask(lab, checkpoint)
    work = services.lease(holder=operator, node="generator", now=timezone.now())
    assert work is not None
    _, what = drawn.delivered(work)
    with pytest.raises(UnusablePicture, match="without a C2PA manifest"):
        deliver(work, replace(what, file=bytes(signed.picture.file)), operator)
    assert Output.objects.get(pk=work.pk).state == State.LEASED

# SPDX-License-Identifier: Apache-2.0
"""A picture is taken once, as it was asked for, and signed as what our own program made."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from django.utils import timezone

from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.evidence import Part
from assay.signing.statements import Mark, OutputClaim, Statement
from assay.trainers.pictures import files
from registry.accounts.models import User
from registry.audit.models import AuditRow
from registry.catalog.models import Checkpoint
from registry.outputs import erasing, queries, services
from registry.outputs.errors import LeaseLost, UnusablePicture, UnusableText
from registry.outputs.models import Output, Picture, State
from registry.outputs.pictures import taking
from registry.outputs.pictures.taking import MAX_PICTURE_BYTES, Delivered
from tests.registry.people import client_for, client_of
from tests.registry.pool.world import Lab
from tests.signing.marking import key
from tests.trainers.pictures.scenes import scene

from . import drawn
from .drawn import ask


@pytest.fixture
def work(lab: Lab, checkpoint: Checkpoint, operator: User) -> Output:
    ask(lab, checkpoint)
    leased = services.lease(holder=operator, node="generator", now=timezone.now())
    assert leased is not None
    return leased


def complete(work: Output, what: Delivered, operator: User) -> Output:
    assert work.lease_id is not None
    return taking.complete(work.lease_id, what, holder=operator, now=timezone.now())


def test_it_is_signed_as_generated_here_with_its_mark(signed: Output) -> None:
    assert signed.state == State.SIGNED
    bundle = queries.evidence(signed).bundles[Part.OUTPUT]
    statement = Statement.parse(bundle.envelope.payload)
    claim = OutputClaim.parse(statement)
    picture = signed.picture
    assert claim.exact_sha256 == sha256(bytes(picture.file))
    assert [subject.name for subject in statement.subjects] == ["content"]
    assert (claim.claim, claim.media_type) == ("server-generated", "image/png")
    assert claim.mark == Mark(scheme="tile/v1", key=key().id)
    assert claim.generation == {
        "size": 512,
        "seed": 3,
        "mark": {"scheme": "tile/v1", "key": key().id},
    }
    assert picture.number is not None


def test_whoever_asked_reads_it_and_nobody_else(signed: Output, lab: Lab) -> None:
    url = f"/api/v1/outputs/{signed.pk}/content"
    bob = client_of(lab.people.bob, "outputs")
    answer = bob.get(url)
    assert answer["Content-Type"] == "image/png"
    assert answer.content == bytes(signed.picture.file)
    assert bob.get(url, headers={"Accept": "image/png"}).status_code == 200
    said = bob.get(f"/api/v1/outputs/{signed.pk}").json()
    assert said["content_url"].endswith(url)
    assert said["text"] is None
    assert client_for(lab.people.bob, "lab/tiny").get(url).status_code == 200
    for stranger in (
        client_of(None),
        client_of(lab.people.charlie, "outputs"),
        client_for(lab.people.bob, "alice/other"),
    ):
        assert stranger.get(url).status_code == 404


def test_an_output_that_is_no_picture_has_no_content(work: Output, lab: Lab) -> None:
    answer = client_of(lab.people.bob, "outputs").get(f"/api/v1/outputs/{work.pk}/content")
    assert answer.status_code == 404
    assert "not yet" in answer.json()["detail"]


def test_delivering_twice_is_delivering_once(work: Output, operator: User) -> None:
    _, what = drawn.delivered(work, key())
    for _ in range(2):
        complete(work, what, operator)
    assert AuditRow.objects.filter(action="output.generate").count() == 1
    with pytest.raises(LeaseLost):
        complete(work, replace(what, file=files.write(scene(9))), operator)
    assert bytes(Picture.objects.get().file) == what.file


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"no picture", "expected a PNG picture"),
        (files.written(scene(3), "JPEG"), "expected a PNG picture"),
        (files.write(scene(3, 256)), "expected 512 × 512 pixels, found 256 × 256"),
        (bytes(MAX_PICTURE_BYTES + 1), "expected at most"),
    ],
)
def test_what_was_not_asked_for_is_refused(
    work: Output, operator: User, file: bytes, reason: str
) -> None:
    _, what = drawn.delivered(work)
    with pytest.raises(UnusablePicture, match=reason):
        complete(work, replace(what, file=file), operator)
    assert Output.objects.get().state == State.LEASED


def test_a_mark_that_nobody_finds_again_is_refused(work: Output, operator: User) -> None:
    _, what = drawn.delivered(work, key(2))
    with pytest.raises(UnusableText, match="by one of this registry's keys"):
        complete(work, what, operator)
    _, what = drawn.delivered(work, key())
    with pytest.raises(UnusableText, match="expected a mark tile/v1"):
        complete(work, replace(what, mark=Mark(scheme="tournament/v1", key=key().id)), operator)


def test_a_text_is_no_answer_to_a_request_for_a_picture(work: Output, operator: User) -> None:
    assert work.lease_id is not None
    with pytest.raises(UnusableText, match="expected image/png"):
        services.complete(work.lease_id, "A", holder=operator, now=timezone.now())


def test_a_picture_is_no_answer_to_a_request_for_a_text(work: Output, operator: User) -> None:
    _, what = drawn.delivered(work)
    work.media_type = "text/plain"
    work.save()
    with pytest.raises(UnusablePicture, match="expected text/plain"):
        complete(work, what, operator)


def test_it_is_delivered_over_http(work: Output, operator: User) -> None:
    _, what = drawn.delivered(work, key(1))
    body = {
        "picture": base64.b64encode(what.file).decode(),
        "fingerprint": what.fingerprint,
        "mark": what.mark.to_json() if what.mark else None,
    }
    client = client_of(operator, "generation")
    answer = client.post(f"/api/v1/generation/{work.lease_id}/complete", body)
    assert answer.status_code == 204
    assert Output.objects.get().state == State.SIGNED
    assert Picture.objects.get().fingerprint == what.fingerprint


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"picture": "?"}, "picture: expected bytes in standard padded base64"),
        ({"picture": "\u00e9"}, "picture: expected bytes in standard padded base64"),
        ({"fingerprint": "ff"}, "fingerprint: expected 32 hexadecimal digits"),
        ({"fingerprint": "Z" * 32}, "fingerprint: expected 32 hexadecimal digits"),
        ({"mark": {"scheme": "tile/v1"}}, "mark.key: expected"),
    ],
)
def test_a_delivery_of_another_form_is_refused(change: dict[str, object], reason: str) -> None:
    body = {"picture": "AAAA", "fingerprint": "0" * 32, "mark": None, **change}
    with pytest.raises(InvalidDocument, match=reason):
        Delivered.parse(body)


def test_without_a_mark_it_has_no_number(lab: Lab, checkpoint: Checkpoint, operator: User) -> None:
    ask(lab, checkpoint)
    assert drawn.answer(operator).picture.number is None


def test_who_leaves_takes_the_pictures_along(signed: Output, lab: Lab) -> None:
    bob = lab.people.bob.namespace
    erasing.erase(
        bob,
        stub=lab.people.charlie.namespace,
        clear=lab.people.charlie.namespace,
        now=timezone.now(),
    )
    assert not Picture.objects.exists()
    assert Output.objects.get(pk=signed.pk).state == State.SIGNED

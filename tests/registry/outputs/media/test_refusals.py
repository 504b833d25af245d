# SPDX-License-Identifier: Apache-2.0
"""What is no such file, or of somebody else's making, is refused, and changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from registry.audit.models import AuditRow
from registry.catalog.models import Checkpoint
from registry.idempotency.models import Attempt
from registry.idempotency.services import ABANDONED_AFTER
from registry.ledger.models import Entry
from registry.outputs.media.api import MAX_MEDIA_BYTES
from registry.outputs.models import Output
from tests import media
from tests.registry.outputs import world
from tests.registry.outputs.media.sending import URL, beside, send
from tests.registry.people import People, client_of
from tests.registry.pool.test_contention import at_the_same_moment
from tests.registry.pool.world import Lab, found
from tests.running import Authority

PNG = media.picture("PNG")


@pytest.fixture
def bob(real_lab: Lab) -> APIClient:
    return client_of(real_lab.people.bob, "outputs")


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (PNG, "image/tiff", 415, "media-type-unknown"),
        (PNG, "text/html", 415, "media-type-unknown"),
        (PNG, "image/jpeg", 422, "media-not-of-its-type"),
        (media.picture("JPEG"), "image/png", 422, "media-not-of-its-type"),
        (media.wav(), "image/webp", 422, "media-not-of-its-type"),
        (b"MZ" + PNG, "image/png", 422, "media-not-of-its-type"),
        (b"<script>", "application/pdf", 422, "media-not-of-its-type"),
        (b"", "image/png", 422, "media-not-of-its-type"),
        (PNG[:20], "image/png", 422, "media-unusable"),
        (media.picture("JPEG")[:8], "image/jpeg", 422, "media-unusable"),
        (media.picture("PDF")[:40], "application/pdf", 422, "media-unusable"),
        (media.mp4()[:20], "video/mp4", 422, "media-unusable"),
        (media.wav() * 2, "audio/wav", 422, "media-unusable"),
        (media.picture("WEBP") + b"more", "image/webp", 422, "media-unusable"),
        (media.signed_pdf(), "application/pdf", 422, "media-unusable"),
        (media.named_elsewhere(), "image/png", 422, "media-has-credentials"),
        (b"\x89PNG\r\n\x1a\n".ljust(MAX_MEDIA_BYTES + 1), "image/png", 413, "body-too-large"),
    ],
)
def test_another_file_is_refused(
    bob: APIClient,
    real_checkpoint: Checkpoint,
    content: bytes,
    kind: str,
    status: int,
    code: str,
) -> None:
    entries = Entry.objects.count()
    answer = send(bob, real_checkpoint, content, kind, key="once")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "found" in answer.json()["detail"]
    assert (Output.objects.count(), Entry.objects.count()) == (0, entries)
    assert not AuditRow.objects.filter(action="output.assert").exists()


def test_what_was_signed_once_is_not_signed_over(
    bob: APIClient, real_checkpoint: Checkpoint
) -> None:
    for kind, content in media.everything().items():
        signed = send(bob, real_checkpoint, content, kind).content
        again = send(bob, real_checkpoint, signed, kind)
        assert again.json()["code"] == "media-has-credentials", kind


def test_a_file_within_another_is_signed_as_what_surrounds_it(
    bob: APIClient, real_checkpoint: Checkpoint
) -> None:
    """A signed picture behind a picture: its manifest is none of the outer file's."""
    inner = send(bob, real_checkpoint, PNG).content
    answer = send(bob, real_checkpoint, PNG + inner)
    assert answer.status_code in {201, 422}
    if answer.status_code == 422:
        assert answer.json()["code"] in {"media-unusable", "media-has-credentials"}


def test_a_checkpoint_has_to_be_named_and_to_be_there(
    bob: APIClient, real_checkpoint: Checkpoint
) -> None:
    answer = bob.post(URL, PNG, content_type="image/png")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")
    answer = bob.post(f"{URL}?checkpoint=lab/tiny", PNG, content_type="image/png")
    assert answer.json()["errors"][0]["field"] == "checkpoint"
    answer = bob.post(f"{URL}?checkpoint=sha256:{'0' * 64}", PNG, content_type="image/png")
    assert answer.status_code == 404


def test_nobody_signs_without_a_token_for_it_or_without_the_conduct(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    assert send(APIClient(), real_checkpoint, PNG).status_code == 401
    reader = client_of(real_lab.people.bob, "read")
    assert send(reader, real_checkpoint, PNG).status_code == 403
    stranger = client_of(real_lab.people.charlie, "outputs")
    for answer in (
        send(stranger, real_checkpoint, PNG),
        stranger.post(
            "/api/v1/outputs/sidecar",
            {
                "checkpoint": f"sha256:{real_checkpoint.manifest_sha256}",
                "media_type": "image/png",
                "digests": {"sha256": "1" * 64},
            },
            format="json",
        ),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "conduct-not-accepted")
    assert not Output.objects.exists()


def test_a_key_that_is_known_makes_nothing_twice(
    bob: APIClient, real_checkpoint: Checkpoint
) -> None:
    first = send(bob, real_checkpoint, PNG, key="once")
    again = send(bob, real_checkpoint, PNG, key="once")
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["code"] == "media-not-kept"
    output = Output.objects.get()
    assert output.path in again.json()["detail"]
    made = beside(bob, real_checkpoint, PNG, "image/png")
    assert made.status_code == 201


def test_a_key_that_is_sent_fifty_times_makes_one_output(
    transactional_db: None, authority: Authority, people: People
) -> None:
    checkpoint = world.published(found(people))
    client = client_of(people.bob, "outputs")

    def replay() -> int:
        return int(send(client, checkpoint, PNG, key="once").status_code)

    codes = at_the_same_moment([replay] * 25) + [replay() for _ in range(25)]
    assert codes.count(201) == 1
    assert set(codes) == {201, 409}
    assert Output.objects.count() == 1


def test_a_request_whose_process_died_makes_one_output(
    bob: APIClient, real_checkpoint: Checkpoint
) -> None:
    assert send(bob, real_checkpoint, PNG, key="once").status_code == 201
    died_at = timezone.now() - ABANDONED_AFTER - timedelta(seconds=1)
    for _ in range(2):
        Attempt.objects.update(status=None, answer=None, started_at=died_at)
        assert send(bob, real_checkpoint, PNG, key="once").json()["code"] == "media-not-kept"
    assert Output.objects.count() == 1


def test_while_the_signer_is_away_nothing_is_said(
    bob: APIClient, real_checkpoint: Checkpoint, authority: Authority
) -> None:
    authority.stop()
    try:
        answer = send(bob, real_checkpoint, PNG)
    finally:
        authority.start()
    assert answer.status_code == 503
    assert not Output.objects.exists()

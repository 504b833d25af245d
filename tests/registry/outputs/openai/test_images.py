# SPDX-License-Identifier: Apache-2.0
"""`POST /v1/images/generations`: signed pictures, with their evidence; refusals by parameter."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from assay.signing.digests import sha256
from assay.signing.evidence import Evidence, Part
from registry.catalog.models import Checkpoint
from registry.outputs.models import Output, State
from registry.outputs.openai import images
from tests.registry.outputs import world
from tests.registry.outputs.pictures import drawn
from tests.registry.people import People, client_of
from tests.registry.pool.world import Lab, found
from tests.running import Authority

URL = "/v1/images/generations"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody generates in these tests: no use in waiting for it."""
    monkeypatch.setattr(images, "WAIT_SECONDS", 0.0)


@pytest.fixture
def letters(real_lab: Lab) -> Checkpoint:
    return drawn.published(real_lab)


def body_of(checkpoint: Checkpoint, **other: object) -> dict[str, Any]:
    return {"model": checkpoint.full_name, "prompt": "A", "size": "256x256", "seed": 3, **other}


def test_pictures_come_with_all_that_proves_them(
    transactional_db: None, authority: Authority, people: People
) -> None:
    checkpoint = drawn.published(found(people))
    client = client_of(people.bob, "outputs")
    with drawn.drawing_program(world.operator()):
        answers = [
            client.post(URL, body_of(checkpoint, n=2), headers={"Idempotency-Key": "1"})
            for _ in range(2)
        ]
    assert [each.status_code for each in answers] == [200, 200]
    said = answers[0].json()
    assert answers[1].json() == said
    assert (said["size"], said["output_format"], len(said["data"])) == ("256x256", "png", 2)
    for each in said["data"]:
        evidence = Evidence.parse(each["assay"]["evidence"])
        statement = evidence.bundles[Part.OUTPUT].envelope.payload.decode()
        assert sha256(base64.b64decode(each["b64_json"])) in statement
    assert said["data"][0]["b64_json"] != said["data"][1]["b64_json"]
    assert Output.objects.count() == 2


def test_what_takes_too_long_is_signed_all_the_same(
    real_lab: Lab, letters: Checkpoint, impatient: None
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    answer = client.post(URL, body_of(letters))
    assert (answer.status_code, answer["X-Should-Retry"]) == (503, "false")
    assert answer.json()["error"]["code"] == "generation-slow"
    assert drawn.answer(world.operator()).state == State.SIGNED


def test_what_is_not_said_is_as_openai_has_it(
    real_lab: Lab, letters: Checkpoint, impatient: None
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    client.post(URL, {"model": letters.full_name, "prompt": "B", "quality": "auto", "user": "b"})
    asked = Output.objects.get().sampling or {}
    assert (asked["prompt"], asked["size"]) == ("B", 512)
    assert 0 <= asked["seed"] < 2**31


@pytest.mark.parametrize(
    ("other", "param"),
    [
        ({"prompt": "Q"}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"n": 5}, "n"),
        ({"n": "2"}, "n"),
        ({"size": "256x512"}, "size"),
        ({"size": 256}, "size"),
        ({"size": "250x250"}, "size"),
        ({"size": "1024x1024"}, "size"),
        ({"response_format": "url"}, "response_format"),
        ({"output_format": "jpeg"}, "output_format"),
        ({"style": "vivid"}, "style"),
        ({"stream": True}, "stream"),
        ({"seed": -1}, "seed"),
        ({"model": ""}, "model"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_its_name(
    real_lab: Lab, letters: Checkpoint, other: dict[str, Any], param: str
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    answer = client.post(URL, body_of(letters, **other))
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert not Output.objects.exists()


def test_a_full_queue_is_a_rate_limit(real_lab: Lab, letters: Checkpoint, impatient: None) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    for _ in range(2):
        client.post(URL, body_of(letters, n=4))
    answer = client.post(URL, body_of(letters))
    assert (answer.status_code, answer["Retry-After"]) == (429, "5")
    assert answer.json()["error"]["type"] == "rate_limit_error"


def test_a_checkpoint_that_writes_draws_nothing(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    answer = client.post(URL, body_of(real_checkpoint))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "not-generatable")


def test_only_a_token_for_outputs_opens_it(real_lab: Lab, letters: Checkpoint) -> None:
    assert client_of(None).post(URL, body_of(letters)).status_code == 401
    assert client_of(real_lab.people.bob, "publish").post(URL, body_of(letters)).status_code == 403

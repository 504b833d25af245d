# SPDX-License-Identifier: Apache-2.0
"""Texts for OpenAI's clients: signed, with their evidence; refusals in those clients' words."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from assay.signing.evidence import Evidence, Part
from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.idempotency.models import Attempt
from registry.idempotency.services import ABANDONED_AFTER
from registry.outputs import asking, services
from registry.outputs.models import Output, State
from registry.outputs.openai import api, streaming
from tests.registry.outputs import world
from tests.registry.outputs.world import TEXT
from tests.registry.people import People, client_of
from tests.registry.pool.world import Lab, found
from tests.running import Authority

COMPLETIONS, CHATS = "/v1/completions", "/v1/chat/completions"
ASKED: dict[str, Any] = {"max_tokens": 64, "temperature": 0.7, "seed": 7}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody generates in these tests: no use in waiting for it."""
    monkeypatch.setattr(api, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(streaming, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.0)


def body_of(url: str, checkpoint: Checkpoint, **other: object) -> dict[str, Any]:
    prompt: dict[str, Any] = (
        {"prompt": "def "}
        if url == COMPLETIONS
        else {"messages": [{"role": "user", "content": "def "}]}
    )
    return {"model": checkpoint.full_name, **prompt, **ASKED, **other}


def text_in(said: dict[str, Any]) -> str:
    choice = said["choices"][0]
    return str(choice["text"] if "text" in choice else choice["message"]["content"])


def told_of(output: Output, client: APIClient) -> dict[str, Any]:
    """What the API tells of it, but for how it stands at the moment of asking."""
    told: dict[str, Any] = client.get(f"/api/v1/outputs/{output.pk}").json()
    assert told.pop("standing")["state"] == "good"
    return told


def events_of(answer: object) -> list[dict[str, Any] | str]:
    """What a stream says, without the comments."""
    lines = b"".join(_chunks(answer)).decode().split("\n\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [each if each == "[DONE]" else json.loads(each) for each in data]


def _chunks(answer: object) -> Generator[bytes]:
    assert isinstance(answer, StreamingHttpResponse)
    for chunk in answer.streaming_content:  # type: ignore[union-attr]  # not async: no server
        assert isinstance(chunk, bytes)
        yield chunk


@pytest.mark.parametrize("url", [COMPLETIONS, CHATS])
def test_a_text_comes_with_all_that_proves_it(
    transactional_db: None, authority: Authority, people: People, url: str
) -> None:
    checkpoint = world.published(found(people))
    client = client_of(people.bob, "outputs")
    with world.generation_program(world.operator()):
        answers = [
            client.post(url, body_of(url, checkpoint), headers={"Idempotency-Key": "1"})
            for _ in range(2)
        ]
    first, again = answers
    assert first.status_code == 200, first.json()
    said = first.json()
    assert text_in(said) == TEXT
    assert said["choices"][0]["finish_reason"] == "stop"
    assert said["model"] == checkpoint.full_name
    assert said["system_fingerprint"] == f"sha256:{checkpoint.manifest_sha256}"
    output = Output.objects.get(is_sample=False)
    prompt = "def " if url == COMPLETIONS else "User: def \n\nAssistant:"
    assert output.sampling == {**world.ASKED, "prompt": prompt}
    size = len(TEXT.encode())
    assert said["usage"] == {
        "prompt_tokens": len(prompt),
        "completion_tokens": size,
        "total_tokens": len(prompt) + size,
    }
    assert said["assay"] == told_of(output, client)
    assert Part.OUTPUT in Evidence.parse(said["assay"]["evidence"]).bundles
    # The first answer got lost; asking again with its key neither generates nor signs.
    assert again.json() == said


@pytest.mark.parametrize("url", [COMPLETIONS, CHATS])
def test_a_stream_ends_with_what_proves_its_text(
    transactional_db: None, authority: Authority, people: People, url: str
) -> None:
    checkpoint = world.published(found(people))
    client = client_of(people.bob, "outputs")
    options = {"stream": True, "stream_options": {"include_usage": True}}
    with world.generation_program(world.operator()):
        answer = client.post(url, body_of(url, checkpoint, **options))
        assert answer["Content-Type"].startswith("text/event-stream")
        first, *pieces, ended, counted, done = events_of(answer)
    assert (first["choices"][0]["finish_reason"], done) == (None, "[DONE]")  # type: ignore[index]
    assert len(pieces) > 1
    if url == COMPLETIONS:
        assert "".join(each["choices"][0]["text"] for each in pieces) == TEXT  # type: ignore[index]
    else:
        assert first["choices"][0]["delta"]["role"] == "assistant"  # type: ignore[index]
        said = [each["choices"][0]["delta"]["content"] for each in pieces]  # type: ignore[index]
        assert "".join(said) == TEXT
    assert isinstance(ended, dict)
    assert ended["choices"][0]["finish_reason"] == "stop"
    output = Output.objects.get(is_sample=False)
    assert ended["assay"] == told_of(output, client)
    assert isinstance(counted, dict)
    assert (counted["choices"], counted["usage"]["completion_tokens"]) == ([], len(TEXT.encode()))


def test_whoever_hangs_up_finds_the_text_signed(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    key = {"Idempotency-Key": "1"}
    body = body_of(COMPLETIONS, real_checkpoint, stream=True)
    chunks = _chunks(client.post(COMPLETIONS, body, headers=key))
    assert next(chunks).startswith(b"data: ")
    chunks.close()
    assert world.generate(operator).state == State.SIGNED
    again = events_of(client.post(COMPLETIONS, body, headers=key))
    assert again[-1] == "[DONE]"
    assert Output.objects.count() == 1


def test_a_text_as_long_as_it_could_be_ends_for_its_length(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(real_lab.people.bob, "outputs")
    body = body_of(COMPLETIONS, real_checkpoint, max_tokens=8)
    monkeypatch.setattr(
        services, "for_an_end", lambda _pk, **_: world.generate(operator, "abcdefg")
    )
    assert client.post(COMPLETIONS, body).json()["choices"][0]["finish_reason"] == "length"


def test_a_text_that_takes_too_long_is_not_asked_for_again(
    lab: Lab, checkpoint: Checkpoint, impatient: None
) -> None:
    client = client_of(lab.people.bob, "outputs")
    answer = client.post(COMPLETIONS, body_of(COMPLETIONS, checkpoint))
    assert (answer.status_code, answer["X-Should-Retry"]) == (503, "false")
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("server_error", "generation-slow")
    output = Output.objects.get()
    assert f"http://localhost:8000/api/v1/outputs/{output.pk}" in error["message"]
    *_, last = events_of(client.post(CHATS, body_of(CHATS, checkpoint, stream=True)))
    assert isinstance(last, dict)
    assert last["error"]["code"] == "generation-slow"


def test_a_stream_says_that_it_is_alive(
    lab: Lab, checkpoint: Checkpoint, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "WAIT_SECONDS", 60.0)
    client = client_of(lab.people.bob, "outputs")
    answer = client.post(COMPLETIONS, body_of(COMPLETIONS, checkpoint, stream=True))
    chunks = _chunks(answer)
    assert next(chunks).startswith(b"data: ")
    assert [next(chunks), next(chunks)] == [streaming.STILL_HERE] * 2


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_failure_says_why(
    real_lab: Lab,
    real_checkpoint: Checkpoint,
    operator: User,
    is_streamed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(output_id: uuid.UUID, *, seconds: float) -> Output:
        del seconds
        for _ in range(3):
            work = services.lease(holder=operator, node="generator", now=timezone.now())
            assert work is not None
            assert work.lease_id is not None
            services.fail(work.lease_id, "no memory", holder=operator, now=timezone.now())
        return Output.objects.get(pk=output_id)

    monkeypatch.setattr(services, "for_an_end", fails)
    client = client_of(real_lab.people.bob, "outputs")
    body = body_of(COMPLETIONS, real_checkpoint, stream=is_streamed)
    answer = client.post(COMPLETIONS, body)
    if is_streamed:
        last = events_of(answer)[-1]
        assert isinstance(last, dict)
        error = last["error"]
    else:
        assert (answer.status_code, answer["X-Should-Retry"]) == (503, "false")
        error = answer.json()["error"]
    assert (error["code"], error["type"]) == ("generation-failed", "server_error")
    assert error["message"] == "no text after 3 attempts: no memory"


def test_a_full_queue_and_a_days_limit_are_rate_limits(
    lab: Lab, checkpoint: Checkpoint, impatient: None, settings: Settings
) -> None:
    client = client_of(lab.people.bob, "outputs")
    for _ in range(asking.MAX_WAITING):
        world.ask(lab, checkpoint)
    answer = client.post(CHATS, body_of(CHATS, checkpoint, stream=True))
    assert (answer.status_code, answer["Retry-After"]) == (429, "5")
    assert not answer.has_header("X-Should-Retry")
    assert answer.json()["error"]["type"] == "rate_limit_error"
    Output.objects.update(state=State.FAILED, ended_at=timezone.now())
    settings.GENERATION_QUOTA = asking.MAX_WAITING
    answer = client.post(CHATS, body_of(CHATS, checkpoint))
    assert (answer.status_code, answer["X-Should-Retry"]) == (429, "false")
    assert answer.json()["error"]["code"] == "generation-quota-exceeded"
    assert Output.objects.count() == asking.MAX_WAITING


@pytest.mark.parametrize(
    ("other", "status", "code", "param"),
    [
        ({"stop": ["."]}, 400, "invalid-parameter", "stop"),
        ({"model": "lab/none"}, 404, "not-found", None),
        ({"model": "lab/tiny@none"}, 404, "revision-unknown", None),
        ({"model": "tiny"}, 404, "not-found", None),
    ],
)
def test_a_refusal_is_in_their_words_and_changes_nothing(
    lab: Lab,
    checkpoint: Checkpoint,
    other: dict[str, Any],
    status: int,
    code: str,
    param: str | None,
) -> None:
    client = client_of(lab.people.bob, "outputs")
    answer = client.post(COMPLETIONS, body_of(COMPLETIONS, checkpoint, **other))
    assert answer.status_code == status
    said = answer.json()
    assert said["error"] == {
        "message": said["detail"],
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
    assert Output.objects.count() == 0


@pytest.mark.parametrize("model", ["gpt-4o", "tiny/", "tiny@main"])
def test_of_a_name_that_no_model_has_here_it_is_said_how_they_are_called(
    lab: Lab, checkpoint: Checkpoint, model: str
) -> None:
    client = client_of(lab.people.bob, "outputs")
    said = client.post(COMPLETIONS, body_of(COMPLETIONS, checkpoint, model=model)).json()
    expected = f"expected OWNER/PROJECT or OWNER/PROJECT@REVISION, found {model!a}"
    assert (said["code"], said["error"]["message"]) == ("not-found", expected)


def test_only_a_token_for_outputs_and_a_live_acceptance_open_it(
    lab: Lab, checkpoint: Checkpoint, impatient: None
) -> None:
    body = body_of(CHATS, checkpoint)
    assert client_of(None).post(CHATS, body).json()["error"]["type"] == "authentication_error"
    other = client_of(lab.people.bob, "publish").post(CHATS, body)
    assert (other.status_code, other.json()["error"]["type"]) == (403, "permission_error")
    lab.withdraw(lab.people.bob)
    refused = client_of(lab.people.bob, "outputs").post(CHATS, body)
    assert refused.json()["error"]["code"] == "conduct-not-accepted"
    assert Output.objects.count() == 0


def test_a_request_whose_process_died_makes_one_output(
    lab: Lab, checkpoint: Checkpoint, impatient: None
) -> None:
    client, key = client_of(lab.people.bob, "outputs"), {"Idempotency-Key": "1"}
    client.post(COMPLETIONS, body_of(COMPLETIONS, checkpoint), headers=key)
    died_at = timezone.now() - ABANDONED_AFTER - timedelta(seconds=1)
    Attempt.objects.update(status=None, answer=None, started_at=died_at)
    client.post(COMPLETIONS, body_of(COMPLETIONS, checkpoint), headers=key)
    assert Output.objects.count() == 1

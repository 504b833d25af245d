# SPDX-License-Identifier: Apache-2.0
"""A stream is passed on as it comes; what ends a choice waits for its evidence and carries it."""

from __future__ import annotations

from typing import cast

import httpx
import pytest

from assay.signing.gateway import OnFailure, Upstream, serving
from tests.signing.client.registry import Answer, Loopback
from tests.signing.gateway.conftest import caller_of
from tests.signing.gateway.offices import (
    CHAT,
    COMPLETIONS,
    EVENTS,
    SIGN,
    TEXT,
    Json,
    Office,
    delta,
    pieces,
    read,
    relay_of,
    stream,
)
from tests.signing.gateway.test_whole_answers import verified

ASKED = {"model": "known", "messages": [], "stream": True}


def streamed(behind: Loopback, caller: httpx.Client, body: bytes, path: str = CHAT) -> bytes:
    behind.on("POST", path, Answer(body=body, headers=EVENTS))
    answer = caller.post(path, json=ASKED)
    assert (answer.status_code, answer.headers["Assay-Evidence"]) == (200, "in-stream")
    return answer.content


def refused(body: bytes) -> str:
    """Why a stream ended in an error of the gateway's, and without `[DONE]`."""
    *_, last = read(body)
    return str(cast("Json", last)["error"]["message"])


@pytest.mark.parametrize("line", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_the_chunk_that_ends_a_choice_carries_its_evidence(
    office: Office, behind: Loopback, caller: httpx.Client, line: str
) -> None:
    chunks = pieces()
    sent = stream(["waiting", *chunks], line=line)
    said = streamed(behind, caller, sent).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = read(said)
    ended = cast("Json", found[-3])
    assert verified(office, ended.pop("assay")) == TEXT
    assert found == [*chunks, "[DONE]"]
    assert said.startswith(b": waiting\n\n")


def test_choices_that_interleave_have_one_each(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    chunks = [
        delta(0, content="one"),
        delta(1, content="two"),
        delta(1, finish="stop"),
        delta(0, finish="length"),
    ]
    found = cast("list[Json]", read(streamed(behind, caller, stream(chunks)))[:-1])
    assert [verified(office, each["assay"]) for each in found[2:]] == ["two", "one"]


def test_choices_that_end_in_one_chunk_have_one_each(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    both = [{"index": at, "text": text, "finish_reason": "stop"} for at, text in enumerate("ab")]
    sent = stream([{"choices": both}])
    found = cast("list[Json]", read(streamed(behind, caller, sent, COMPLETIONS))[:-1])
    assert [verified(office, each["assay"]) for each in found[0]["choices"]] == ["a", "b"]


def test_a_call_of_a_tool_is_put_together_as_clients_do(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    first = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    more = {"index": 0, "type": "function", "function": {"arguments": '{"a":'}}
    last = {"index": 0, "function": {"arguments": "1}"}}
    second = {"index": 1, "id": "d", "function": {"name": "g", "arguments": "{}"}}
    chunks = [
        delta(role="assistant", content=None, tool_calls=[first]),
        delta(tool_calls=[more]),
        delta(tool_calls=[last]),
        delta(tool_calls=[second], notes=["x"]),
        delta(notes=["y"], finish="tool_calls"),
    ]
    found = cast("list[Json]", read(streamed(behind, caller, stream(chunks)))[:-1])
    assert verified(office, found[-1]["assay"]) == (
        '{"notes":["x","y"],"tool_calls":[{"function":{"arguments":"{\\"a\\":1}","name":"f"},'
        '"id":"c","type":"function"},{"function":{"arguments":"{}","name":"g"},"id":"d"}]}'
    )


@pytest.mark.parametrize(
    ("chunks", "why"),
    [
        ([delta(content="x")], "1 that did not"),
        ([], "every choice to end"),
        ([delta(finish="stop"), delta(content="x")], "after its end"),
        ([delta(-1, content="x")], "index below 128"),
        ([{"choices": [{"index": 0, "finish_reason": None}]}], "a delta"),
        ([{"choices": [{"delta": {}}]}], "index below 128"),
        ([delta(tool_calls=[{"index": 5}])], "the next place"),
        ([delta(tool_calls="x"), delta(tool_calls=[])], "stay a list"),
        ([delta(audio="x"), delta(audio={})], "stay one"),
        ([delta(tool_calls=["x"]), delta(tool_calls=[{"index": 0}])], "stay one"),
    ],
)
def test_a_stream_that_no_client_could_read_is_refused(
    office: Office, behind: Loopback, caller: httpx.Client, chunks: list[Json | str], why: str
) -> None:
    body = streamed(behind, caller, stream(chunks))
    assert why in refused(body)
    assert b"[DONE]" not in body


def test_an_upstream_that_hangs_up_ends_it_without_done(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    sent = stream(pieces()[:3], done=False)
    behind.on("POST", CHAT, Answer(body=sent, headers=EVENTS, is_cut=True))
    body = caller.post(CHAT, json=ASKED).content
    assert body.startswith(sent)
    assert "broke off" in refused(body)
    assert office.registry.seen == []


def test_one_that_ends_early_does_so_too(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    body = streamed(behind, caller, stream(pieces()[:3], done=False))
    assert "1 that did not" in refused(body)


def test_one_that_ends_without_done_is_whole(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    found = read(streamed(behind, caller, stream(pieces(), done=False)))
    assert verified(office, cast("Json", found[-2])["assay"]) == TEXT


def test_an_error_of_the_upstreams_is_the_last_event(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    error: Json = {"error": {"message": "out of memory"}}
    assert read(streamed(behind, caller, stream([delta(content="x"), error])))[1:] == [error]
    assert office.registry.seen == []


@pytest.mark.parametrize(
    ("limit", "sent"),
    [
        ("assay.signing.gateway.streams.MAX_EVENT_BYTES", b"data: " + b"x" * 1000),
        ("assay.signing.gateway.streams.MAX_ANSWER_BYTES", stream(pieces())),
    ],
)
def test_a_stream_has_its_limits(
    behind: Loopback,
    caller: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    sent: bytes,
) -> None:
    monkeypatch.setattr(limit, 200)
    assert "at most 200 bytes" in refused(streamed(behind, caller, sent))


def test_without_a_signature_the_end_is_an_error(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    del office.registry.made[SIGN]
    body = streamed(behind, caller, stream(pieces()))
    assert "no evidence for this answer" in refused(body)
    assert b"[DONE]" not in body
    assert b'"finish_reason": "stop"' not in body


def test_whoever_lets_it_pass_has_its_end_marked(
    office: Office, behind: Loopback, upstream: Upstream
) -> None:
    del office.registry.made[SIGN]
    relay = relay_of(office, upstream, on_failure=OnFailure.PASS)
    with serving(relay, "127.0.0.1", 0) as url, caller_of(url) as caller:
        found = read(streamed(behind, caller, stream(pieces())))
    ended = cast("Json", found[-3])
    assert (ended["assay"], ended["assay_missing"]["code"]) == (None, "evidence-missing")
    assert found[-1] == "[DONE]"

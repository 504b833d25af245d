# SPDX-License-Identifier: Apache-2.0
"""An answer in one piece: each choice is signed before it is passed on, unchanged otherwise."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest

from assay.signing.digests import sha256
from assay.signing.evidence import Evidence
from assay.signing.excerpts import LineList
from assay.signing.gateway import OnFailure, Upstream, serving
from assay.signing.statements import Statement
from assay.signing.verify import Content, Match, verify_output
from tests.signing.client.registry import Answer, Loopback
from tests.signing.gateway.conftest import caller_of
from tests.signing.gateway.offices import (
    CHAT,
    CHECKPOINT,
    COMPLETIONS,
    KEY,
    SIGN,
    TEXT,
    TOKEN,
    Json,
    Office,
    chat,
    completion,
    relay_of,
)

ASKED = {"model": "known", "messages": []}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1.5}'}}


def verified(office: Office, said: Json) -> str:
    """The text of an `assay` member, once its evidence verifies for it."""
    content = Content.of(said["text"].encode())
    claim = office.check(Evidence.parse(said["evidence"]), content).output
    assert claim is not None
    assert (claim.checkpoint_sha256, claim.claim) == (CHECKPOINT, "caller-asserted")
    return str(said["text"])


def test_a_chat_carries_its_evidence_and_is_else_what_it_was(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    behind.on_json("POST", CHAT, chat(content=TEXT))
    answer = caller.post(CHAT, json=ASKED)
    said = answer.json()
    assert verified(office, said.pop("assay")) == TEXT
    assert said == chat(content=TEXT)
    assert (answer.status_code, answer.headers["Assay-Evidence"]) == (200, "in-answer")


def test_a_part_of_an_answer_verifies_as_an_excerpt(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    behind.on_json("POST", CHAT, chat(content=TEXT))
    said = caller.post(CHAT, json=ASKED).json()["assay"]
    part = Content.of(TEXT.split("\n")[1].encode())
    evidence = Evidence.parse(said["evidence"])
    wanted = replace(office.world.requirements, accepts_excerpt=True)
    found = verify_output(evidence, trust=office.world.trust, requirements=wanted, content=part)
    assert (found.match, str(found.excerpt)) == (Match.EXCERPT, "line 2 of 2")


def test_the_text_leaves_for_the_upstreams_caller_alone(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    behind.on_json("POST", CHAT, chat(content=TEXT))
    caller.post(CHAT, json=ASKED)
    (signed,), (asked,) = office.registry.seen, behind.seen
    assert json.loads(signed.body) == {
        "checkpoint": f"sha256:{CHECKPOINT}",
        "media_type": "text/plain",
        "digests": {
            "sha256": sha256(TEXT.encode()),
            "normalised": Content.of(TEXT.encode()).normalised_sha256,
            "lines": {"count": 2, "sha256": LineList.of(TEXT).sha256},
        },
    }
    assert signed.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert json.loads(asked.body) == ASKED


def test_each_of_several_choices_has_its_own(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    behind.on_json("POST", COMPLETIONS, completion("one", "two"))
    said = caller.post(COMPLETIONS, json={"model": "any", "n": 2}).json()
    assert [verified(office, each["assay"]) for each in said["choices"]] == ["one", "two"]
    assert "assay" not in said


@pytest.mark.parametrize(
    ("message", "text", "media_type"),
    [
        ({"content": "yes", "reasoning_content": "hm", "annotations": []}, "yes", "text/plain"),
        ({"content": None}, "", "text/plain"),
        (
            {"content": None, "tool_calls": [CALL]},
            (
                '{"tool_calls":[{"function":{"arguments":"{\\"a\\":1.5}","name":"f"},'
                '"id":"call_1","type":"function"}]}'
            ),
            "application/json",
        ),
        ({"content": None, "refusal": "No."}, '{"refusal":"No."}', "application/json"),
        (
            {"content": [{"type": "text", "text": "x"}]},
            '{"content":[{"text":"x","type":"text"}]}',
            "application/json",
        ),
    ],
    ids=["a thought", "nothing", "a tool", "a refusal", "parts"],
)
def test_what_is_more_than_text_is_signed_as_the_message(
    office: Office,
    behind: Loopback,
    caller: httpx.Client,
    message: Json,
    text: str,
    media_type: str,
) -> None:
    behind.on_json("POST", CHAT, chat(**message))
    said = caller.post(CHAT, json=ASKED).json()["assay"]
    assert verified(office, said) == text
    bundle = Evidence.parse(said["evidence"]).bundles["output"]
    assert Statement.parse(bundle.envelope.payload).predicate["media_type"] == media_type


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"choices":7}',
        b'{"choices":[]}',
        b'{"choices":[1]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"message":{"content":"\\ud800"}}]}',
        b'{"choices":[{"message":{"content":null,"audio":{"seconds":1.5}}}]}',
        b'{"choices":[{"message":{"content":"x"},"score":1e999}]}',
        b"[" * 100_000,
    ],
    ids=lambda body: body[:40].decode(),
)
def test_an_answer_that_cannot_be_read_is_refused(
    behind: Loopback, caller: httpx.Client, body: bytes
) -> None:
    behind.on("POST", CHAT, Answer(body=body))
    answer = caller.post(CHAT, json=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream-broken")
    assert answer.headers["X-Should-Retry"] == "false"


@pytest.mark.parametrize("text", [7, None])
def test_a_completion_without_text_is_refused(
    behind: Loopback, caller: httpx.Client, text: object
) -> None:
    broken = completion("x")
    broken["choices"][0]["text"] = text
    behind.on_json("POST", COMPLETIONS, broken)
    assert caller.post(COMPLETIONS, json=ASKED).status_code == 502


def test_an_encoded_answer_is_refused(behind: Loopback, caller: httpx.Client) -> None:
    behind.on("POST", CHAT, Answer(body=b"x", headers={"Content-Encoding": "gzip"}))
    assert "encoded: 'gzip'" in caller.post(CHAT, json=ASKED).json()["error"]["message"]


def test_an_answer_without_end_is_refused(
    behind: Loopback, caller: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.signing.gateway.upstream.MAX_ANSWER_BYTES", 10)
    behind.on_json("POST", CHAT, chat(content=TEXT))
    assert "at most 10 bytes" in caller.post(CHAT, json=ASKED).json()["error"]["message"]


def test_a_cut_answer_is_refused(behind: Loopback, caller: httpx.Client) -> None:
    behind.on("POST", CHAT, Answer(body=b'{"choices":', is_cut=True))
    answer = caller.post(CHAT, json=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream-broken")


def test_what_the_upstream_refuses_is_passed_on(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    refused = b'{"error":{"message":"no such key"}}'
    headers = {"Retry-After": "7", "Content-Type": "application/json", "Connection": "X-Own"}
    behind.on("POST", CHAT, Answer(status=429, body=refused, headers=headers | {"X-Own": "1"}))
    answer = caller.post(CHAT, json=ASKED)
    assert (answer.status_code, answer.content) == (429, refused)
    assert (answer.headers["Retry-After"], answer.headers["Assay-Evidence"]) == ("7", "none")
    assert "X-Own" not in answer.headers
    assert office.registry.seen == []


def test_a_model_that_no_checkpoint_is_known_for_is_asked_nothing(
    office: Office, behind: Loopback, upstream: Upstream
) -> None:
    relay = relay_of(office, upstream, otherwise=None)
    behind.on_json("POST", CHAT, chat(content=TEXT))
    with serving(relay, "127.0.0.1", 0) as url, caller_of(url) as caller:
        bodies: tuple[object, ...] = ({"model": "other"}, [], {})
        for body in bodies:
            answer = caller.post(CHAT, json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "model-unknown")
        assert behind.seen == []
        assert caller.post(CHAT, json=ASKED).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"small","model":"other"}',
        b'{"model":"small","Model":"other"}',
        b'{"MODEL":"other","messages":[]}',
    ],
)
def test_a_model_that_others_would_read_otherwise_is_asked_nothing(
    behind: Loopback, caller: httpx.Client, body: bytes
) -> None:
    behind.on_json("POST", CHAT, chat(content=TEXT))
    answer = caller.post(CHAT, content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "model-unknown")
    assert "expected one member 'model'" in answer.json()["error"]["message"]
    assert behind.seen == []


def test_of_a_body_that_is_no_json_the_upstream_says_so(
    behind: Loopback, caller: httpx.Client
) -> None:
    behind.on("POST", CHAT, Answer(status=400, body=b"no JSON"))
    answer = caller.post(CHAT, content=b"model=small")
    assert (answer.status_code, answer.content) == (400, b"no JSON")


def test_without_a_signature_there_is_no_answer(
    office: Office, behind: Loopback, caller: httpx.Client
) -> None:
    problem = {"title": "No", "detail": "conduct not accepted", "code": "conduct-not-accepted"}
    del office.registry.made[SIGN]
    office.registry.on_json(*SIGN, problem, status=403)
    behind.on_json("POST", CHAT, chat(content=TEXT))
    answer = caller.post(CHAT, json=ASKED)
    assert answer.status_code == 503
    assert "conduct not accepted" in answer.json()["error"]["message"]
    assert TEXT not in answer.text
    assert answer.headers["X-Should-Retry"] == "false"


@pytest.mark.parametrize("otherwise", [CHECKPOINT, None], ids=["refused", "unknown"])
def test_whoever_lets_answers_pass_has_them_marked(
    office: Office, behind: Loopback, upstream: Upstream, otherwise: str | None
) -> None:
    del office.registry.made[SIGN]
    relay = relay_of(office, upstream, on_failure=OnFailure.PASS, otherwise=otherwise)
    behind.on_json("POST", CHAT, chat(content=TEXT))
    with serving(relay, "127.0.0.1", 0) as url, caller_of(url) as caller:
        answer = caller.post(CHAT, json={"model": "other"})
    said = answer.json()
    assert (answer.status_code, answer.headers["Assay-Evidence"]) == (200, "missing")
    assert (said["assay"], said["assay_missing"]["code"]) == (None, "evidence-missing")
    assert said["choices"][0]["message"]["content"] == TEXT

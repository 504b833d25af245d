# SPDX-License-Identifier: Apache-2.0
"""A registry that signs what a gateway asserts, a server of OpenAI's protocol, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from assay.signing.certificates import Purpose
from assay.signing.client import RegistryClient
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence
from assay.signing.gateway import Notary, OnFailure, Relay, Upstream
from assay.signing.verify import Content, Verified, verify_output
from tests.signing.asserted import claim_of
from tests.signing.client.registry import Answer, Loopback, Seen
from tests.signing.world import FILES, World, manifest_of

Json = dict[str, Any]

TOKEN = f"assay_{'canary' * 6}00"
KEY = "sk-canary-of-the-upstream"
SIGN = ("POST", "/api/v1/outputs/sign")
OUTPUT = "0b8f7ad4-6b8e-4b53-8f3a-54b0c2b7e6c1"
CHECKPOINT = manifest_of(FILES).id
CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8"}
TEXT = "Grüße  \nan alle\n"


@dataclass(slots=True, kw_only=True)
class Office:
    """Signs for a registry, as it is told: honestly, late, or something a little else."""

    world: World
    registry: Loopback
    client: RegistryClient
    """The gateway's, with a token of its own."""
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is claimed otherwise than it was asked for."""
    is_late: bool = False
    """Answer 202, and have the evidence at the output's own address."""
    text: str | None = None
    """What the evidence is about, if not about what was sent."""

    def sign(self, seen: Seen) -> Answer:
        asked: Json = json.loads(seen.body)
        answer: Json = {
            "id": OUTPUT,
            "state": "signed",
            "claim": "caller-asserted",
            "text": None,
            "media_type": asked["media_type"],
            "request": None,
        }
        signed = answer | {"evidence": self.evidence(asked).to_json()}
        if not self.is_late:
            return Answer(status=201, body=json.dumps(signed).encode())
        self.registry.on_json("GET", f"/api/v1/outputs/{OUTPUT}", signed)
        return Answer(status=202, body=json.dumps(answer | {"state": "generated"}).encode())

    def evidence(self, asked: Json) -> Evidence:
        below = self.world.evidence_for_upload()
        statement_sha256 = sha256(below.bundles["checkpoint"].envelope.payload)
        claim = claim_of(asked, output=OUTPUT, statement_sha256=statement_sha256)
        statement = replace(claim, **self.changes).statement()
        signed = self.world.sign(statement, Purpose.OUTPUT, self.world.alice)
        bundles = {**below.bundles, "output": self.world.bundle(signed)}
        whole = replace(below, bundles=bundles)
        return whole.with_lists(self.world.lists(purposes={Purpose.OUTPUT}))

    def check(self, evidence: Evidence, content: Content) -> Verified:
        """As the command does under what is pinned."""
        return verify_output(
            evidence,
            trust=self.world.trust,
            requirements=self.world.requirements,
            content=content,
        )


@contextmanager
def opened(world: World, registry: Loopback) -> Iterator[Office]:
    """An office that signs."""
    with RegistryClient(registry.url, TOKEN, timeout_seconds=5) as client:
        made = Office(world=world, registry=registry, client=client)
        registry.made[SIGN] = made.sign
        yield made


def relay_of(
    office: Office,
    upstream: Upstream,
    *,
    on_failure: OnFailure = OnFailure.REFUSE,
    patience_seconds: float = 5.0,
    otherwise: str | None = CHECKPOINT,
) -> Relay:
    """A gateway's rules between them."""
    notary = Notary(client=office.client, check=office.check, patience_seconds=patience_seconds)
    return Relay(
        upstream=upstream,
        notary=notary,
        checkpoints={"known": CHECKPOINT},
        otherwise=otherwise,
        on_failure=on_failure,
    )


def completion(*texts: str) -> Json:
    """An answer of a completion, with a choice for each text."""
    choices = [
        {"index": index, "text": text, "logprobs": None, "finish_reason": "stop"}
        for index, text in enumerate(texts)
    ]
    return {"id": "cmpl-1", "object": "text_completion", "model": "m", "choices": choices}


def chat(**message: object) -> Json:
    """An answer of a chat with one message."""
    said = {"role": "assistant", "refusal": None, **message}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": [choice]}


def delta(index: int = 0, *, finish: str | None = None, **said: object) -> Json:
    """A chunk of a chat with one choice."""
    choice = {"index": index, "delta": said, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}


def pieces(text: str = TEXT) -> list[Json]:
    """A chat's chunks, as servers send them: who speaks, a text, its end, and what it took."""
    parts = [delta(content=text[at : at + 4]) for at in range(0, len(text), 4)]
    usage = {"id": "chatcmpl-1", "choices": [], "usage": {"total_tokens": 4}}
    return [delta(role="assistant", content=""), *parts, delta(finish="stop"), usage]


def stream(chunks: Sequence[Json | str], *, line: str = "\n", done: bool = True) -> bytes:
    """Server-sent events; a string is a comment."""
    shown = [f": {c}" if isinstance(c, str) else f"data: {json.dumps(c)}" for c in chunks]
    ended = [*shown, "data: [DONE]"] if done else shown
    return "".join(f"{each}{line}{line}" for each in ended).encode()


def read(body: bytes) -> list[Json | str]:
    """The data of the events that came."""
    shown = [each for each in body.decode().replace("\r\n", "\n").split("\n\n") if each]
    data = [each.removeprefix("data: ") for each in shown if each.startswith("data: ")]
    return [each if each == "[DONE]" else json.loads(each) for each in data]

# SPDX-License-Identifier: Apache-2.0
"""Puts a request to the upstream, and its answer to the notary: what is passed on, signed, refused.

1. An address that is not under /v1/, or writes a signed one in another way, is refused.
2. Of a model that no checkpoint is known for nothing is asked, unless unsigned answers may pass.
3. What the upstream refuses is passed on as it is, and so is every answer of another route.
4. Of an answer that is whole each choice is signed before anything of it is passed on.
5. Of a stream events are passed on as they come; the one that ends a choice waits for its evidence.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

import httpx

from .contents import Content, Form, choices_of, content_of, parse, written
from .errors import EvidenceMissing, GatewayError, ModelUnknown, NotServed, UpstreamBroken
from .notary import Notary
from .streams import DONE, Stream, data_of, events
from .upstream import Headers, Request, Upstream, headers_of, plain_chunks, raw_chunks, read

MODEL = "model"
MAX_SHOWN = 5
FIELD = "assay"
MISSING_FIELD = "assay_missing"
HEADER = "Assay-Evidence"
RETRY_HEADER = "X-Should-Retry"  # OpenAI's clients ask again by themselves: often in vain
EVENTS_TYPE = "text/event-stream"
SAID_HERE = frozenset({HEADER.lower()})
CHANGED = SAID_HERE | {"content-length"}


class OnFailure(StrEnum):
    """What becomes of an answer that there is no evidence for."""

    REFUSE = "refuse"
    PASS = "pass"  # noqa: S105 - a word of the command line


class Shown(StrEnum):
    """What the header says of an answer's evidence."""

    IN_ANSWER = "in-answer"
    IN_STREAM = "in-stream"
    MISSING = "missing"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the caller is answered: a body in one piece, or as it comes."""

    status: int
    headers: Headers
    body: bytes | Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A gateway's rules; no sockets of its own."""

    upstream: Upstream
    notary: Notary
    checkpoints: Mapping[str, str]
    """The checkpoint's digest, by the name that callers ask for the model by."""
    otherwise: str | None = None
    """The checkpoint of every other model."""
    on_failure: OnFailure = OnFailure.REFUSE

    @contextmanager
    def answering(self, request: Request) -> Iterator[Reply]:
        """The reply, which is good until the block ends; raises GatewayError."""
        form = _form(request)  # 1
        checkpoint = None if form is None else self._checkpoint(request)  # 2
        with self.upstream.answering(request, is_plain=form is not None) as answer:
            if form is None or not answer.is_success:
                yield _passed_on(answer)  # 3
            elif _is_stream(answer):
                yield self._streamed(answer, form, checkpoint)  # 5
            else:
                yield self._whole(answer, form, checkpoint)  # 4

    def _checkpoint(self, request: Request) -> str | None:
        """None where the answer may pass unsigned; a body of another form is the upstream's."""
        model = _model(request.body)
        found = self.checkpoints.get(model, self.otherwise)
        if found is None and self.on_failure is OnFailure.REFUSE:
            raise ModelUnknown(
                "expected a model whose checkpoint the gateway was told, found "
                f"{model[:200]!a}; whoever runs it names one with --model or --checkpoint"
            )
        return found

    def _whole(self, answer: httpx.Response, form: Form, checkpoint: str | None) -> Reply:
        document = parse(read(plain_chunks(answer)))
        choices = choices_of(document)
        if not choices:
            raise UpstreamBroken("expected at least one choice in the answer, found none")
        contents = dict(enumerate(content_of(choice, form) for choice in choices))
        shown = self._attach(document, choices, contents, checkpoint)
        headers = (*headers_of(answer, without=CHANGED), (HEADER, shown))
        return Reply(status=answer.status_code, headers=headers, body=written(document))

    def _streamed(self, answer: httpx.Response, form: Form, checkpoint: str | None) -> Reply:
        headers = (*headers_of(answer, without=CHANGED), (HEADER, Shown.IN_STREAM))
        body = self._events(answer, form, checkpoint)
        return Reply(status=answer.status_code, headers=headers, body=body)

    def _events(
        self, answer: httpx.Response, form: Form, checkpoint: str | None
    ) -> Iterator[bytes]:
        """The events; an error of ours is the last one, and without `[DONE]`."""
        try:
            yield from self._signed(events(plain_chunks(answer)), Stream(form=form), checkpoint)
        except GatewayError as error:
            yield _event({"error": error_of(error)})

    def _signed(
        self, arriving: Iterable[bytes], stream: Stream, checkpoint: str | None
    ) -> Iterator[bytes]:
        for event in arriving:
            data = data_of(event)
            if data is None:
                yield event
            elif data == DONE:
                stream.end()
                yield event
                return
            else:
                taken = stream.take(data)
                if taken.ended:
                    choices = choices_of(taken.chunk)
                    self._attach(taken.chunk, choices, taken.ended, checkpoint)
                    event = _event(taken.chunk)  # noqa: PLW2901 - it goes on with its evidence
                yield event
                if "error" in taken.chunk:
                    return
        stream.end()

    def _attach(
        self,
        document: dict[str, object],
        choices: list[dict[str, object]],
        contents: Mapping[int, Content],
        checkpoint: str | None,
    ) -> Shown:
        """Put the evidence of each content where clients find it; raises EvidenceMissing."""
        shown = Shown.IN_ANSWER
        for place, content in contents.items():
            into = document if len(choices) == 1 else choices[place]
            try:
                into |= {FIELD: self._evidence(content, checkpoint)}
            except EvidenceMissing as error:
                if self.on_failure is OnFailure.REFUSE:
                    raise
                into |= {FIELD: None, MISSING_FIELD: error_of(error)}
                shown = Shown.MISSING
        return shown

    def _evidence(self, content: Content, checkpoint: str | None) -> dict[str, object]:
        if checkpoint is None:
            raise EvidenceMissing("nobody said which checkpoint this model is")
        return self.notary.evidence(content, checkpoint)


def refusal(error: GatewayError) -> Reply:
    """What a caller is answered where there is no answer, as OpenAI's clients read it."""
    again = "true" if error.is_tried_again else "false"
    headers = (
        ("Content-Type", "application/json"),
        (HEADER, Shown.NONE),
        (RETRY_HEADER, again),
    )
    return Reply(status=error.status, headers=headers, body=written({"error": error_of(error)}))


def error_of(error: GatewayError) -> dict[str, object]:
    """An error in the words of OpenAI's protocol."""
    return {"message": str(error), "type": error.kind, "param": None, "code": error.code}


def _form(request: Request) -> Form | None:
    """Which of the signed routes is meant, however it is written; raises NotServed."""
    path = request.target.partition("?")[0]
    meant = posixpath.normpath(unquote(path))
    if not path.startswith("/v1/") or not meant.startswith("/v1/"):
        raise NotServed(f"expected an address under /v1/, found {path[:200]!a}")
    if request.method != "POST" or meant not in list(Form):
        return None
    if path != meant:
        raise NotServed(f"expected {meant}, found it written as {path[:200]!a}")
    return Form(meant)


def _model(body: bytes) -> str:
    """The name in a request; of what is none the upstream says what it thinks.

    Raises ModelUnknown where readers of JSON differ: of two names some take the first, and some
    take `Model` for it, so that another model would answer than the one that is signed for.
    """
    try:
        pairs: object = json.loads(body, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return ""
    members = cast("tuple[tuple[str, object], ...]", pairs) if isinstance(pairs, tuple) else ()
    named = [(name, value) for name, value in members if name.lower() == MODEL]
    match named:
        case []:
            return ""
        case [(name, value)] if name == MODEL:
            return str(value)
        case _:
            found = ", ".join(ascii(name) for name, _ in named[:MAX_SHOWN])
            raise ModelUnknown(f"expected one member {MODEL!a} in the request, found {found}")


def _passed_on(answer: httpx.Response) -> Reply:
    status, headers = (
        answer.status_code,
        (*headers_of(answer, without=SAID_HERE), (HEADER, Shown.NONE)),
    )
    if status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        return Reply(status=status, headers=headers, body=b"")
    return Reply(status=status, headers=headers, body=raw_chunks(answer))


def _is_stream(answer: httpx.Response) -> bool:
    kind = str(answer.headers.get("Content-Type", "")).partition(";")[0]
    return kind.strip().lower() == EVENTS_TYPE


def _event(said: Mapping[str, object]) -> bytes:
    return b"data: " + written(said) + b"\n\n"

# SPDX-License-Identifier: Apache-2.0
"""What of an answer is signed: each choice's text, or its whole message where that is more.

A message of nothing but text is signed as that text, so that what is copied out of it verifies. Of
any other, such as a call of a tool, the whole message is signed, as canonical JSON (RFC 8785).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from .. import canonical
from ..canonical import Obj
from ..errors import InvalidDocument
from .errors import UpstreamBroken

TEXT_TYPE = "text/plain"
JSON_TYPE = "application/json"
MAX_CHOICES = 128  # as many as OpenAI's `n` may ask for
MAX_ANSWER_BYTES = 16 << 20  # of JSON, or of all choices of a stream; one stays in memory
# Who speaks is said by the protocol, and a model's thoughts are no part of what it answers.
NOT_SIGNED = frozenset({"role", "reasoning", "reasoning_content"})


class Form(StrEnum):
    """The two forms of an answer, by where they are asked for."""

    COMPLETION = "/v1/completions"
    CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is signed of one choice."""

    text: str
    media_type: str

    @property
    def data(self) -> bytes:
        """The exact bytes."""
        return self.text.encode("utf-8")


def content_of(choice: Obj, form: Form) -> Content:
    """Of a choice as an answer has it whole; raises UpstreamBroken for what is none."""
    match form:
        case Form.COMPLETION:
            return _text(choice.get("text"))
        case Form.CHAT:
            message = choice.get("message")
            if not isinstance(message, dict):
                raise UpstreamBroken("expected a message in each choice, found none")
            return _of_message(cast("Obj", message))


def choices_of(answer: Obj) -> list[dict[str, object]]:
    """The choices of an answer or a chunk; raises UpstreamBroken for what has none."""
    found = answer.get("choices")
    if not isinstance(found, list) or len(cast("list[object]", found)) > MAX_CHOICES:
        raise UpstreamBroken(f"expected a list of at most {MAX_CHOICES} choices, found another")
    return list(_objects(cast("list[object]", found)))


def parse(data: bytes) -> dict[str, object]:
    """A JSON object of the upstream's; raises UpstreamBroken for anything else."""
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamBroken("expected JSON from the upstream, found something else") from error
    return next(_objects([value]))


def written(value: object) -> bytes:
    """The same as JSON again; raises UpstreamBroken for numbers that JSON has not."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise UpstreamBroken("expected numbers that JSON has, found another") from error


def _objects(values: list[object]) -> Iterator[dict[str, object]]:
    for each in values:
        if not isinstance(each, dict):
            raise UpstreamBroken(f"expected an object, found {type(each).__name__}")
        yield cast("dict[str, object]", each)


def _of_message(message: Obj) -> Content:
    said = {name: value for name, value in message.items() if name not in NOT_SIGNED and value}
    if set(said) <= {"content"} and isinstance(said.get("content", ""), str):
        return _text(said.get("content", ""))
    try:
        data = canonical.dumps(said)
    except InvalidDocument as error:
        raise UpstreamBroken(f"expected a message that can be signed: {error}") from error
    return Content(text=data.decode("utf-8"), media_type=JSON_TYPE)


def _text(value: object) -> Content:
    if not isinstance(value, str):
        raise UpstreamBroken(f"expected a choice's text, found {type(value).__name__}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UpstreamBroken(f"expected a text, found {error.reason}") from error
    return Content(text=value, media_type=TEXT_TYPE)

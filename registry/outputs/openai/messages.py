# SPDX-License-Identifier: Apache-2.0
"""A conversation as the prompt of a base model: who speaks, a colon, what they say.

A checkpoint's own chat template is a program (Jinja) that its publisher wrote: it is never run.
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.errors import InvalidDocument
from registry.pool.sampling import MAX_PROMPT_BYTES

SPEAKERS: Mapping[str, str] = {
    "system": "System",
    "developer": "System",
    "user": "User",
    "assistant": "Assistant",
}
NEXT = "Assistant:"
BETWEEN = "\n\n"
MAX_MESSAGES = 1024


def prompt_of(body: Obj) -> str:
    """The messages of a request, each a paragraph, and the word after which the model writes."""
    messages = canonical.items(body, "messages", maximum=MAX_MESSAGES)
    if not messages:
        raise InvalidDocument("messages", "at least one message", "none")
    turns = []
    for number, message in enumerate(messages):
        with canonical.within(f"messages[{number}]"):
            turns.append(_turn(canonical.as_mapping(message, "message")))
    return BETWEEN.join([*turns, NEXT])


def _turn(message: Obj) -> str:
    """What an answer of ours has besides, all null, may be sent back with it."""
    said = {name: value for name, value in message.items() if value is not None}
    canonical.only(said, "role", "content")
    role = canonical.text(said, "role")
    if role not in SPEAKERS:
        raise InvalidDocument("role", f"one of {', '.join(SPEAKERS)}", ascii(role[:40]))
    return f"{SPEAKERS[role]}: {_content(said)}"


def _content(message: Obj) -> str:
    """A string, or parts of which each is text."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    try:
        parts = canonical.items(message, "content", maximum=MAX_MESSAGES)
    except InvalidDocument as error:
        expected = f"a string, or at most {MAX_MESSAGES} parts of which each is text"
        raise InvalidDocument("content", expected, error.found) from error
    return "".join(map(_part, parts))


def _part(value: object) -> str:
    part = canonical.as_mapping(value, "content")
    with canonical.within("content"):
        canonical.literal(part, "type", "text")  # of another sort whatever else is in it is, too
        canonical.only(part, "type", "text")
        return canonical.text(part, "text", max_characters=MAX_PROMPT_BYTES)

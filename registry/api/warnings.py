# SPDX-License-Identifier: Apache-2.0
"""What an answer says beside what was asked: that something the caller relies on will end.

`warn` may be called wherever a request is answered, in whatever thread; the header is one that
clients of the Hub print, once for each topic.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from .wire import Application, Message, Receive, Scope, Send

HEADER = "X-HF-Warning"
MAX_CHARACTERS = 500
_said: ContextVar[dict[str, str] | None] = ContextVar("said", default=None)


class Warnings:
    """Sends what was said while it was answered, one header for each topic."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with collected() as said:
            await self._inner(scope, receive, partial(_send, said, send))


@contextmanager
def collected() -> Iterator[dict[str, str]]:
    """What is said meanwhile, by topic; threads have a copy of the context, and this in it."""
    said: dict[str, str] = {}
    token = _said.set(said)
    try:
        yield said
    finally:
        _said.reset(token)


def warn(topic: str, text: str) -> None:
    """Have the answer say it; outside of a request nobody hears."""
    said = _said.get()
    if said is not None:
        said[topic] = plain(text)


def plain(text: str) -> str:
    """What a header can hold."""
    return " ".join(text.split())[:MAX_CHARACTERS].encode("ascii", "replace").decode("ascii")


async def _send(said: dict[str, str], send: Send, message: Message) -> None:
    if message["type"] == "http.response.start" and said:
        lines = [
            (HEADER.lower().encode(), f"{topic}; {text}".encode()) for topic, text in said.items()
        ]
        message = {**message, "headers": [*message["headers"], *lines]}
    await send(message)

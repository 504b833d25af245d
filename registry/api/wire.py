# SPDX-License-Identifier: Apache-2.0
"""Just enough of ASGI to answer below Django: headers in, a head, chunks and problems out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from django.conf import settings

from .problems import CONTENT_TYPE, Document, Problem

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# A caller that sends nothing for so long is gone, or is holding a place on purpose.
IDLE_SECONDS = 60


class Disconnected(Exception):
    """The caller sends no more; it went away, or closed its half and still listens."""


class BrokenOff(Exception):
    """The answer cannot be finished after its head was sent: the connection breaks instead."""


class TooSlow(Problem):
    """Nothing came for a minute."""

    code = "request-timeout"
    title = "The body did not come"
    status_code = 408


def header(scope: Scope, name: str) -> str | None:
    """The header's value; of several, the first."""
    wanted = _named(name)
    for key, value in scope["headers"]:
        if key == wanted:
            return bytes(value).decode("latin-1")
    return None


@cache  # of the names that our own code asks for
def _named(name: str) -> bytes:
    return name.lower().encode("ascii")


async def body_chunk(receive: Receive) -> tuple[bytes, bool]:
    """The next bytes of the body, and whether more will come; raises Disconnected or TooSlow."""
    try:
        # Not wait_for: Python 3.11's makes a task of each, and loses who leaves as bytes come.
        async with asyncio.timeout(IDLE_SECONDS):
            message = await receive()
    except TimeoutError as error:
        raise TooSlow(f"expected the next bytes within {IDLE_SECONDS} seconds") from error
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message.get("body", b""), bool(message.get("more_body", False))


async def send_head(send: Send, status: int, headers: Mapping[str, str]) -> None:
    """Status and headers; those that every answer carries are added."""
    everywhere = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
    if settings.SECURE_HSTS_SECONDS:
        everywhere["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (key.lower().encode("ascii"), value.encode("latin-1"))
                for key, value in {**everywhere, **headers}.items()
            ],
        }
    )


async def send_body(send: Send, body: bytes = b"", *, more: bool = False) -> None:
    """Bytes of the answer."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def send_problem(send: Send, problem: Problem, *, is_head: bool = False) -> None:
    """The refusal as problem+json."""
    await send_document(send, Document.of(problem), problem.headers, is_head=is_head)


async def send_document(
    send: Send, document: Document, headers: Mapping[str, str], *, is_head: bool = False
) -> None:
    """The same of whatever it stands for."""
    body = document.encoded()
    stated = {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(body))}
    await send_head(send, document.status, {**stated, **headers})
    await send_body(send, b"" if is_head else body)

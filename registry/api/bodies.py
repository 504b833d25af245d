# SPDX-License-Identifier: Apache-2.0
"""Caps on request bodies, applied before Django sees a request: it would spool all of it first.

A body is read here, up to its route's cap, and handed on in one piece. One that is too large is
answered 413, a sleepy one 408 and one cut short 400: no view, parser or database hears of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .numbers import capped
from .problems import Problem, TooLarge, TruncatedBody
from .wire import (
    Application,
    Disconnected,
    Message,
    Receive,
    Scope,
    Send,
    body_chunk,
    header,
    send_problem,
)

KIBIBYTE, MEBIBYTE = 1024, 1024 * 1024
# docs/spec/http.md: JSON at most 1 MiB, and 8 MiB where a manifest of 10,000 files may come. The
# first pattern that matches the path counts.
CAPS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"/api/v1/.*/checkpoints", re.DOTALL), 8 * MEBIBYTE),
    (re.compile(r"/api/v1/detect/picture|/c2pa/matches/byContent"), 8 * MEBIBYTE),
    (re.compile(r"/detect"), 8 * MEBIBYTE + 64 * KIBIBYTE),  # a form with a picture
    (re.compile(r"/api/v1/detect", re.DOTALL), 128 * KIBIBYTE),  # 16 KiB of text, all escaped
    (re.compile(r"/api/v1/outputs/batch"), 32 * MEBIBYTE),  # 100,000 lines
    (re.compile(r"/api/v1/outputs/media"), 32 * MEBIBYTE),  # a picture, a minute of film
    (re.compile(r"/api/.*|/[^/]+/[^/]+\.git/info/lfs/.*", re.DOTALL), MEBIBYTE),
    (re.compile(r".*", re.DOTALL), 64 * KIBIBYTE),  # forms, and timestamp queries
)


class Bodies:
    """The ASGI application that caps, in front of the one that answers."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        try:
            body = await _body(scope, receive)
        except Problem as problem:
            await send_problem(send, problem, is_head=scope["method"] == "HEAD")
            return
        await self._inner(scope, _replay(body, receive), send)


def cap_of(path: str) -> int:
    """How many bytes a body sent to this path may have."""
    return next(cap for pattern, cap in CAPS if pattern.fullmatch(path))


async def _body(scope: Scope, receive: Receive) -> bytes:
    cap = cap_of(scope["path"])
    announced = header(scope, "Content-Length") or ""
    if (capped(announced, most=cap + 1) or 0) > cap:
        raise TooLarge(f"expected at most {cap} bytes, found {announced[:20]}")
    body, is_more = bytearray(), True
    while is_more:
        try:
            chunk, is_more = await body_chunk(receive)
        except Disconnected as error:
            # Told all the same: who closed only their half of the connection still listens.
            expected = f"{announced[:20]} bytes" if announced else "an end of the body"
            raise TruncatedBody(f"expected {expected}, found {len(body)} bytes") from error
        body += chunk
        if len(body) > cap:
            raise TooLarge(f"expected at most {cap} bytes, found more")
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The whole body first; after that, whatever the server has to say (that the caller left)."""

    def once() -> Iterator[Message]:
        yield {"type": "http.request", "body": body, "more_body": False}

    messages = once()

    async def replay() -> Message:
        for message in messages:
            return message
        return await receive()

    return replay

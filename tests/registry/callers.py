# SPDX-License-Identifier: Apache-2.0
"""Calls an ASGI application as a server would, piece by piece, and may leave in the middle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote

import httpx
from django.db import connections
from typing_extensions import override

from registry.api.wire import Application, Message

Result = TypeVar("Result")
LEAVES = None
"""A piece of a body that never comes: the caller's connection breaks here."""


@dataclass(slots=True, kw_only=True)
class Heard:
    """What the application sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    messages: int = 0

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document that it has to be."""
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        assert document["detail"]
        return document


class Caller:
    """One request's other end: says the pieces, notes what it hears, and leaves when told to."""

    def __init__(self, pieces: Sequence[bytes | None], leave_after: int | None) -> None:
        self.heard = Heard()
        self._leave_after = leave_after
        self._has_left = asyncio.Event()
        self._count = len(pieces)
        self._coming = iter(list(enumerate(pieces, start=1)))

    async def receive(self) -> Message:
        """What the application hears."""
        for number, piece in self._coming:
            if piece is LEAVES:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": number < self._count}
        await self._has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """What the application says."""
        self.heard.messages += 1
        if message["type"] == "http.response.start":
            pairs = [(k.decode().lower(), v.decode("latin-1")) for k, v in message["headers"]]
            self.heard.status, self.heard.headers = message["status"], dict(pairs)
        else:
            self.heard.body += message.get("body", b"")
        if self.heard.messages == self._leave_after:
            self._has_left.set()
        await asyncio.sleep(0)


async def call(
    application: Application,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    pieces: Sequence[bytes | None] = (b"",),
    leave_after: int | None = None,
) -> Heard:
    """One request; the caller leaves at a LEAVES piece, or after so many messages of the answer."""
    path, _, query = url.partition("?")
    caller = Caller(pieces, leave_after)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 8000),
    }
    await application(scope, caller.receive, caller.send)
    return caller.heard


@dataclass(frozen=True, slots=True, kw_only=True)
class InMemory(httpx.BaseTransport):
    """An httpx client's way to an application in this process, which is measured as it is."""

    application: Application

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request, with all of its body."""
        url, body = request.url.raw_path.decode(), request.read()
        heard = asyncio.run(
            call(self.application, request.method, url, headers=request.headers, pieces=(body,))
        )
        return httpx.Response(heard.status, headers=heard.headers, content=heard.body)


async def in_database(function: Callable[[], Result]) -> Result:
    """Runs it in a thread, whose connection is closed: an open one would outlive the test."""

    def run() -> Result:
        try:
            return function()
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)

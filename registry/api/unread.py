# SPDX-License-Identifier: Apache-2.0
"""Who is answered before their whole body was read gets the answer, if the rest comes soon.

The server closes a connection whose body nobody reads (RFC 9112, 9.3). What is still under way then
has it reset, and with it the answer, for clients that write all before they read. So what comes is
read first, and thrown away. Where it takes too long, the answer says that the connection ends: the
server says so only where it knows in time, and a client that is not told loses its next request.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from .wire import Application, Message, Receive, Scope, Send, header

CLOSE = (b"connection", b"close")
PATIENCE_SECONDS, SILENT_SECONDS = 5, 1  # for all of it, and for the next piece


class Unread:
    """The ASGI application that reads and says so, around the one that answers."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _announces_body(scope):
            await self._inner(scope, receive, send)
            return
        body = _Body(receive)

        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start":
                if body.was_asked_for or not _waits_to_be_asked(scope):
                    await body.read_away()
                if not body.is_whole:
                    message = {**message, "headers": [*message["headers"], CLOSE]}
            await send(message)

        await self._inner(scope, body.next, saying)


class _Body:
    """What comes of a request, and whether all of it did."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.was_asked_for = self.is_whole = False

    async def next(self) -> Message:
        """As the server says it."""
        self.was_asked_for = True
        message = await self._receive()
        self.is_whole = self.is_whole or _is_last(message)
        return message

    async def read_away(self) -> None:
        """What is left of it, if that comes soon."""
        ends_at = time.monotonic() + PATIENCE_SECONDS
        with suppress(TimeoutError):
            while not self.is_whole and (left := ends_at - time.monotonic()) > 0:
                message = await asyncio.wait_for(self.next(), min(left, SILENT_SECONDS))
                if message["type"] == "http.disconnect":
                    return


def _is_last(message: Message) -> bool:
    return message["type"] == "http.request" and not message.get("more_body", False)


def _announces_body(scope: Scope) -> bool:
    """HTTP/2 ends a stream alone, and knows no such header."""
    if scope["type"] != "http" or scope["http_version"].startswith("2"):
        return False
    length = header(scope, "Content-Length")
    return header(scope, "Transfer-Encoding") is not None if length is None else length != "0"


def _waits_to_be_asked(scope: Scope) -> bool:
    """RFC 9110, 10.1.1: such a client sends nothing after a refusal; to read is to ask for it."""
    return (header(scope, "Expect") or "").lower() == "100-continue"

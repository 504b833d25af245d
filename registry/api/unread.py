# SPDX-License-Identifier: Apache-2.0
"""An answer that is sent before the whole body came ends its connection, and says so.

The server closes a connection whose body nobody reads (RFC 9112, 9.3). It says so itself only where
it knows in time; a client that is not told sends its next request into the closed connection.
"""

from __future__ import annotations

from .wire import Application, Message, Receive, Scope, Send, header

CLOSE = (b"connection", b"close")


class Unread:
    """The ASGI application that says it, around the one that answers."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_whole = not _announces_body(scope)
        if is_whole:
            await self._inner(scope, receive, send)
            return

        async def noting() -> Message:
            nonlocal is_whole
            message = await receive()
            is_last = message["type"] == "http.request" and not message.get("more_body", False)
            is_whole = is_whole or is_last
            return message

        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_whole:
                message = {**message, "headers": [*message["headers"], CLOSE]}
            await send(message)

        await self._inner(scope, noting, saying)


def _announces_body(scope: Scope) -> bool:
    """Of HTTP/1.1: HTTP/2 ends a stream alone, and knows no such header."""
    if scope["type"] != "http" or scope["http_version"] != "1.1":
        return False
    length = header(scope, "Content-Length")
    return header(scope, "Transfer-Encoding") is not None if length is None else length != "0"

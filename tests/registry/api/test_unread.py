# SPDX-License-Identifier: Apache-2.0
"""Whoever is answered before their whole body was read is told that the connection ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from registry.api.unread import Unread
from registry.api.wire import Receive, Scope, Send, send_body, send_head
from tests.registry.callers import LEAVES, call

LONG, CHUNKED = {"Content-Length": "2"}, {"Transfer-Encoding": "chunked"}


async def test_of_http_2_only_the_stream_ends() -> None:
    async def answers(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send_head(send, 401, {})
        await send_body(send)

    async def over_http_2(scope: Scope, receive: Receive, send: Send) -> None:
        await Unread(answers)({**scope, "http_version": "2"}, receive, send)

    heard = await call(over_http_2, "PUT", "/", headers=LONG, pieces=[b"ab"])
    assert (heard.status, "connection" in heard.headers) == (401, False)


@pytest.mark.parametrize(
    ("headers", "pieces", "read", "said"),
    [
        ({}, [b""], 0, None),
        ({"Content-Length": "0"}, [b""], 0, None),
        (LONG, [b"a", b"b"], 2, None),
        (LONG, [b"a", b"b", b""], 3, None),
        (CHUNKED, [b"a"], 1, None),
        (LONG, [b"a", b"b"], 0, "close"),
        (LONG, [b"a", b"b"], 1, "close"),
        (LONG, [b"a", LEAVES], 2, "close"),
        (CHUNKED, [b"a"], 0, "close"),
    ],
)
async def test_it_is_said_where_something_was_left(
    headers: dict[str, str], pieces: Sequence[bytes | None], read: int, said: str | None
) -> None:
    async def answers(_scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(read):
            await receive()
        await send_head(send, 200, {})
        await send_body(send, b"done")

    heard = await call(Unread(answers), "PUT", "/", headers=headers, pieces=pieces)
    assert (heard.headers.get("connection"), heard.body) == (said, b"done")

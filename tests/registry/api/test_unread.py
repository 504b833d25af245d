# SPDX-License-Identifier: Apache-2.0
"""Whoever is answered before their whole body was read gets the answer, and knows if it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from registry.api import unread
from registry.api.unread import Unread
from registry.api.wire import Message, Receive, Scope, Send, send_body, send_head
from tests.registry.callers import LEAVES, call

LONG, CHUNKED = {"Content-Length": "2"}, {"Transfer-Encoding": "chunked"}
WAITING = {**LONG, "Expect": "100-continue"}


async def refuses(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send_head(send, 401, {})
    await send_body(send, b"done")


@pytest.mark.parametrize(("version", "said"), [("2", None), ("1", "close"), ("1.1", "close")])
async def test_of_http_2_only_the_stream_ends(version: str, said: str | None) -> None:
    async def by_version(scope: Scope, receive: Receive, send: Send) -> None:
        await Unread(refuses)({**scope, "http_version": version}, receive, send)

    heard = await call(by_version, "PUT", "/", headers=LONG, pieces=[LEAVES])
    assert (heard.status, heard.headers.get("connection")) == (401, said)


@pytest.mark.parametrize(
    ("headers", "pieces", "read", "said"),
    [
        ({}, [b""], 0, None),
        ({"Content-Length": "0"}, [b""], 0, None),
        (LONG, [b"a", b"b"], 2, None),
        (LONG, [b"a", b"b", b""], 3, None),
        (CHUNKED, [b"a"], 1, None),
        (LONG, [b"a", b"b"], 0, None),
        (LONG, [b"a", b"b"], 1, None),
        (CHUNKED, [b"a", b"b", b""], 0, None),
        (LONG, [b"a", LEAVES], 1, "close"),
        (LONG, [b"a", LEAVES], 2, "close"),
        (WAITING, [b"a", b"b"], 0, "close"),
        (WAITING, [b"a", b"b"], 1, None),
    ],
)
async def test_what_comes_is_read_and_the_end_is_said_where_it_did_not(
    headers: dict[str, str], pieces: Sequence[bytes | None], read: int, said: str | None
) -> None:
    async def answers(_scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(read):
            await receive()
        await send_head(send, 200, {})
        await send_body(send, b"done")

    heard = await call(Unread(answers), "PUT", "/", headers=headers, pieces=pieces)
    assert (heard.headers.get("connection"), heard.body) == (said, b"done")


async def is_silent() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def goes_on() -> Message:
    await asyncio.sleep(0)
    return {"type": "http.request", "body": b"more", "more_body": True}


@pytest.mark.parametrize(
    ("coming", "patience", "silence"), [(is_silent, 600, 0.02), (goes_on, 0.1, 600)]
)
async def test_nobody_is_waited_for_longer_than_that(
    monkeypatch: pytest.MonkeyPatch, coming: Receive, patience: float, silence: float
) -> None:
    monkeypatch.setattr(unread, "PATIENCE_SECONDS", patience)
    monkeypatch.setattr(unread, "SILENT_SECONDS", silence)

    async def slowly(scope: Scope, _receive: Receive, send: Send) -> None:
        await Unread(refuses)(scope, coming, send)

    async with asyncio.timeout(60):
        heard = await call(slowly, "PUT", "/", headers=LONG)
    assert (heard.status, heard.headers["connection"], heard.body) == (401, "close", b"done")

# SPDX-License-Identifier: Apache-2.0
"""What is said beside an answer: a header for each topic, from whatever thread, of one line."""

from __future__ import annotations

import asyncio

from registry.api.warnings import MAX_CHARACTERS, Warnings, warn
from registry.api.wire import Receive, Scope, Send
from tests.registry.callers import call


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Says what the path has, in a thread, as Django answers in one."""
    for topic in scope["path"].strip("/").split("/"):
        if topic:
            await asyncio.to_thread(warn, topic, f"About\n {topic}\N{EM DASH}\r\nset-cookie: a=b")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"answer"})


async def said(path: str) -> dict[str, str]:
    heard = await call(Warnings(application), "GET", path)
    assert heard.body == b"answer"
    return heard.headers


async def test_what_was_said_in_a_thread_is_a_header_of_one_line() -> None:
    assert (await said("/conduct/conduct"))["x-hf-warning"] == (
        "conduct; About conduct? set-cookie: a=b"
    )


async def test_each_answer_says_its_own() -> None:
    told, untold = await asyncio.gather(said("/conduct"), said("/"))
    assert "x-hf-warning" in told
    assert untold == {"a": "b"}


async def test_nothing_is_endless() -> None:
    heard = await call(Warnings(application), "GET", f"/{'a' * 2_000}")
    topic, text = heard.headers["x-hf-warning"].split("; ", 1)
    assert (len(topic), len(text)) == (2_000, MAX_CHARACTERS)

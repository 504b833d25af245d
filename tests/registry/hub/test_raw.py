# SPDX-License-Identifier: Apache-2.0
"""The layer below Django: whose address it is, which methods it takes, how it refuses."""

from __future__ import annotations

from registry.api.wire import Receive, Scope, Send, send_body, send_head
from registry.hub.errors import Unreadable
from registry.hub.raw import Raw, Route
from tests.registry.callers import Heard, call


async def yes(scope: Scope, receive: Receive, send: Send) -> None:
    await send_head(send, 200, {})
    await send_body(send, b"yes")


async def no(scope: Scope, receive: Receive, send: Send) -> None:
    raise Unreadable("expected something else")


async def django(scope: Scope, receive: Receive, send: Send) -> None:
    await send_head(send, 418, {})
    await send_body(send)


async def asked(method: str, path: str) -> Heard:
    route = Route(is_ours=lambda path: path.startswith("/ours/"), answers={"GET": yes, "PUT": no})
    return await call(Raw(routes=(route,), inner=django), method, path)


async def test_what_is_not_ours_goes_on() -> None:
    assert (await asked("GET", "/theirs/a")).status == 418


async def test_a_method_has_its_answer_and_others_are_refused_with_those_there_are() -> None:
    assert (await asked("GET", "/ours/a")).body == b"yes"
    refused = await asked("POST", "/ours/a")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, PUT, OPTIONS")
    assert refused.headers["x-error-message"] == "expected GET, PUT, OPTIONS, found POST"


async def test_browsers_may_ask_first() -> None:
    asked_first = await asked("OPTIONS", "/ours/a")
    assert (asked_first.status, asked_first.headers["access-control-allow-origin"]) == (204, "*")


async def test_what_an_answer_raises_is_said_in_the_clients_words() -> None:
    refused = await asked("PUT", "/ours/a")
    assert (refused.status, refused.headers["x-error-message"]) == (400, "expected something else")

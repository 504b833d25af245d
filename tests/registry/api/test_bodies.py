# SPDX-License-Identifier: Apache-2.0
"""Caps on bodies: nothing behind the cap hears of a body that is too large or never comes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from registry.api.bodies import Bodies, cap_of
from registry.api.wire import Receive, Scope, Send, send_body, send_head
from tests.registry.callers import LEAVES, Heard, call

CAP = 64 * 1024


class Inner:
    """Notes what comes through."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.heard.append((await receive())["body"])
        await send_head(send, 200, {})
        await send_body(send)


async def post(inner: Inner, pieces: Sequence[bytes | None], *, length: str | None = None) -> Heard:
    headers = {} if length is None else {"Content-Length": length}
    return await call(Bodies(inner), "POST", "/form", headers=headers, pieces=pieces)


@pytest.mark.parametrize(
    ("path", "cap"),
    [
        ("/login", CAP),
        ("/timestamp", CAP),
        ("/api/v1/outputs", 1024**2),
        ("/api/v1/detect", 128 * 1024),
        ("/api/v1/outputs/batch", 32 * 1024**2),
        ("/api/v1/projects/lab/model/checkpoints", 8 * 1024**2),
        ("/api/v1/leases/7/checkpoints", 8 * 1024**2),
        ("/api/v1/a\nb", 1024**2),
    ],
)
def test_each_route_has_its_cap(path: str, cap: int) -> None:
    assert cap_of(path) == cap


async def test_a_body_under_the_cap_comes_through_in_one_piece() -> None:
    inner = Inner()
    answer = await post(inner, [b"a" * (CAP - 1), b"b"], length=str(CAP))
    assert (answer.status, inner.heard) == (200, [b"a" * (CAP - 1) + b"b"])


@pytest.mark.parametrize(
    ("pieces", "length"),
    [
        ([], str(CAP + 1)),
        ([], "9" * 5_000),
        ([b"a" * CAP, b"b"], None),
        ([b"a" * CAP, b"b"], "10"),
        ([b"a" * CAP, b"b"], "nonsense"),
    ],
)
async def test_a_body_over_the_cap_is_refused(pieces: list[bytes], length: str | None) -> None:
    inner = Inner()
    answer = await post(inner, pieces, length=length)
    assert (answer.status, answer.problem["code"]) == (413, "body-too-large")
    assert f"at most {CAP} bytes" in answer.problem["detail"]
    assert inner.heard == []


@pytest.mark.parametrize(
    ("length", "detail"),
    [
        ("8", "expected 8 bytes, found 3 bytes"),
        (None, "expected an end of the body, found 3 bytes"),
    ],
)
async def test_a_body_cut_short_is_told_so_and_heard_of_by_nobody(
    length: str | None, detail: str
) -> None:
    inner = Inner()
    answer = await post(inner, [b"abc", LEAVES], length=length)
    assert (answer.status, answer.problem["code"]) == (400, "truncated-body")
    assert (answer.problem["detail"], inner.heard) == (detail, [])


async def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.wire.IDLE_SECONDS", 0.05)
    answer = await post(Inner(), [])
    assert (answer.status, answer.problem["code"]) == (408, "request-timeout")


async def test_after_the_body_the_application_hears_that_the_caller_left() -> None:
    kinds: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send_head(send, 200, {})
        kinds.extend([(await receive())["type"], (await receive())["type"]])

    await call(Bodies(inner), "GET", "/", leave_after=1)
    assert kinds == ["http.request", "http.disconnect"]


async def test_only_http_is_capped() -> None:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"

    async def nothing() -> dict[str, object]:
        raise AssertionError

    await Bodies(inner)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type]  # unused

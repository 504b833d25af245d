# SPDX-License-Identifier: Apache-2.0
"""A real server over real sockets: cut uploads, resumed downloads, followers and a small pool."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from registry.events import services as events
from registry.storage.models import Blob
from tests.registry.people import People, secret_of
from tests.running import Live

CONTENT = os.urandom(1024) * 6_000  # 6 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URL = f"/api/v1/blobs/sha256:{SHA256}"
FOLLOWERS = 40
PATIENCE_SECONDS = 120.0


@pytest.fixture
def secret(live: Live, people: People) -> str:
    """Alice's token for publishing."""
    return secret_of(people.alice, "publish")


def unfinished() -> set[Path]:
    """A process that another test killed leaves some too, until the sweep."""
    return set(Path(os.environ["ASSAY_DATA_DIR"], "blobs").rglob(".part-*"))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # another process: nothing wakes us


def test_a_blob_goes_up_and_comes_down_in_two_parts(live: Live, secret: str) -> None:
    with live.client(secret) as client:
        assert client.put(URL, content=CONTENT).status_code == 201
        first = client.get(URL, headers={"Range": "bytes=0-2999999"})
        etag = first.headers["ETag"]
        rest = client.get(URL, headers={"Range": "bytes=3000000-", "If-Range": etag})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == CONTENT


def refused(live: Live, sent: bytes, *, times: int = 1) -> list[HTTPResponse]:
    """Answers to an upload with a bad token, by who writes all before they read."""
    host = urlsplit(live.url)
    head = (
        f"PUT {URL} HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Bearer assay_half\r\n"
        f"Content-Length: {len(CONTENT)}\r\n\r\n"
    )
    answers = []
    address = host.hostname, host.port
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as wire:
        for _ in range(times):
            wire.sendall(head.encode() + sent)
            with HTTPResponse(wire, method="PUT") as answer:
                answer.begin()
                answer.read()
                answers.append(answer)
    return answers


def test_who_is_refused_before_all_came_is_told_and_goes_on(live: Live, secret: str) -> None:
    for answer in refused(live, CONTENT, times=20):
        assert (answer.status, answer.headers["Connection"]) == (401, None)


def test_who_is_refused_and_sends_no_more_is_told_that_the_connection_ends(
    live: Live, secret: str
) -> None:
    (answer,) = refused(live, CONTENT[:1000])
    assert (answer.status, answer.headers["Connection"]) == (401, "close")


def test_an_upload_whose_connection_is_cut_leaves_nothing(live: Live, secret: str) -> None:
    host = urlsplit(live.url)
    before = unfinished()
    with socket.create_connection((host.hostname, host.port)) as wire:
        wire.sendall(
            f"PUT {URL} HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Bearer {secret}\r\n"
            f"Content-Length: {len(CONTENT)}\r\n\r\n".encode()
        )
        wire.sendall(CONTENT[: len(CONTENT) // 2])
        wait_until(lambda: unfinished() > before)
    wait_until(lambda: unfinished() == before)
    assert not Blob.objects.exists()
    with live.client(secret) as client:
        assert client.put(URL, content=CONTENT).status_code == 201


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (f"PUT {URL}", 422, "truncated-upload"),
        ("POST /api/v1/tokens", 400, "truncated-body"),
    ],
)
def test_who_stops_sending_too_soon_and_listens_is_told_so(
    live: Live, secret: str, head: str, status: int, code: str
) -> None:
    host = urlsplit(live.url)
    with socket.create_connection((host.hostname, host.port), PATIENCE_SECONDS) as wire:
        wire.sendall(
            f"{head} HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Bearer {secret}\r\n"
            "Content-Length: 8\r\n\r\nabc".encode()
        )
        wire.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    front, _, body = answer.partition(b"\r\n\r\n")
    assert front.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in front
    assert json.loads(body)["code"] == code
    assert "expected 8 bytes, found 3" in json.loads(body)["detail"]


def test_a_refusal_reaches_a_caller_who_is_still_sending(live: Live, people: People) -> None:
    before = unfinished()
    with live.client(secret_of(people.alice, "read")) as client:
        answer = client.put(URL, content=CONTENT)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")
    assert unfinished() == before


def test_a_download_that_is_left_ends_and_the_server_goes_on(live: Live, secret: str) -> None:
    with live.client(secret) as client:
        client.put(URL, content=CONTENT)
        for _ in range(5):
            with client.stream("GET", URL) as answer:
                next(answer.iter_raw(1024))
        assert client.get(URL).content == CONTENT


def test_a_body_over_the_cap_is_refused_over_the_wire(live: Live, secret: str) -> None:
    with live.client(secret) as client:
        answer = client.post("/api/v1/tokens", content=b" " * (1024**2 + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    with live.client(secret) as client:  # the server hangs up on who sends too much

        def chunks() -> list[bytes]:
            return [b" " * 65_536] * 17

        answer = client.post("/api/v1/tokens", content=iter(chunks()))
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_more_followers_than_the_pool_has_connections_stop_nothing(live: Live) -> None:
    first = events.emit("run:1", "loss", {"step": 1}).pk
    url = f"/events?topics=run:1&after={first - 1}"
    with ExitStack() as stack, ThreadPoolExecutor(FOLLOWERS) as pool:
        clients = [stack.enter_context(live.client()) for _ in range(FOLLOWERS)]
        streams = [stack.enter_context(client.stream("GET", url)) for client in clients]
        lines = [stream.iter_lines() for stream in streams]
        heard = list(pool.map(lambda one: _until(one, '"step":1'), lines))
        assert all(heard)
        visitor = stack.enter_context(live.client())
        assert visitor.get("/healthz").status_code == 200
        assert visitor.get("/api/v1/projects").status_code == 200
        events.emit("run:1", "loss", {"step": 2})
        assert all(pool.map(lambda one: _until(one, '"step":2'), lines))
        assert _backends() <= 16  # a pool of 10, the line, the worker's and the test's


def _until(lines: Iterator[str], wanted: str) -> bool:
    return any(wanted in line for line in lines)


def _backends() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend'"
        )
        (number,) = cursor.fetchone()
        return int(number)

# SPDX-License-Identifier: Apache-2.0
"""A witness that anybody may ask cannot be held by slow callers, flooded, or made to say much."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.signing.treehead import Verifier
from assay.signing.witness import Desk, Memory, serving
from assay.signing.witness.bounded import InTime, Limits
from tests.signing.witness.ledgers import HONEST, VKEY
from tests.until import until

PATIENCE_SECONDS = 0.5
LIMITS = Limits(patience_seconds=PATIENCE_SECONDS, connections=2)
HEAD = b"POST /add-checkpoint HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


@contextmanager
def witness(
    folder: Path, *, limits: Limits = LIMITS, clock: Callable[[], int] = lambda: 1
) -> Iterator[str]:
    desk = Desk(
        name="witness.test/w1",
        key=Ed25519PrivateKey.generate(),
        ledgers=(Verifier.parse(VKEY),),
        memory=Memory.open(folder),
        clock=clock,
    )
    with serving(desk, "127.0.0.1", 0, limits=limits) as url:
        yield url


def connect(url: str) -> socket.socket:
    place = urlsplit(url)
    return socket.create_connection((str(place.hostname), place.port or 0), timeout=10)


def drip(connection: socket.socket) -> float:
    """A byte at a time for as long as they are taken; how many seconds that was."""
    began = time.monotonic()
    try:
        while time.monotonic() < began + 20 * PATIENCE_SECONDS:
            connection.sendall(b"x")
            time.sleep(PATIENCE_SECONDS / 10)  # far less than what is waited for one
    except OSError:  # they hung up
        pass
    return time.monotonic() - began


@pytest.mark.parametrize("beginning", [b"", HEAD], ids=["its head", "its body"])
def test_a_request_that_drips_in_is_given_up(tmp_path: Path, beginning: bytes) -> None:
    with witness(tmp_path) as url, connect(url) as slow:
        slow.sendall(beginning)
        assert drip(slow) < 6 * PATIENCE_SECONDS


def test_a_caller_who_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    with witness(tmp_path) as url, connect(url) as silent:
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert PATIENCE_SECONDS * 0.9 < time.monotonic() - began < 6 * PATIENCE_SECONDS


def test_what_came_too_late_is_not_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, InTime(ours) as late:
        theirs.sendall(b"x")
        late.until = time.monotonic()
        with pytest.raises(TimeoutError):
            late.read(1)


def test_each_request_of_a_connection_has_the_whole_time(tmp_path: Path) -> None:
    with witness(tmp_path) as url, httpx.Client(base_url=url) as client:
        for old, new in ((0, 3), (3, 4), (4, 5)):
            answer = client.post("/add-checkpoint", content=HONEST.request(old, new))
            assert answer.status_code == 200
            time.sleep(PATIENCE_SECONDS * 0.6)  # together longer than one is waited for


def test_of_too_many_connections_the_last_are_turned_away(tmp_path: Path) -> None:
    limits = Limits(connections=2)
    with witness(tmp_path, limits=limits) as url, connect(url) as first, connect(url):
        with connect(url) as third:
            assert third.recv(4096).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert third.recv(1) == b""
        first.close()
        until(lambda: httpx.get(url).status_code == 404)


def test_many_connections_are_a_few_threads(tmp_path: Path) -> None:
    with witness(tmp_path, limits=Limits(connections=2)) as url:
        before = threading.active_count()
        callers = [connect(url) for _ in range(50)]
        until(lambda: threading.active_count() == before + 2)
        for each in callers:
            each.close()


def reset(connection: socket.socket) -> None:
    """Hang up so that the other end finds its connection broken."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def test_callers_who_hang_up_leave_no_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with witness(tmp_path, limits=Limits(connections=2)) as url:
        before = threading.active_count()
        for beginning in (b"", b"P", HEAD, HEAD, b"", HEAD):  # some are turned away
            hanging = connect(url)
            hanging.sendall(beginning)
            reset(hanging)
        until(lambda: threading.active_count() <= before)
        until(lambda: httpx.get(url).status_code == 404)
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_ours_is_one_line_and_the_next_is_answered(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> int:
        raise RuntimeError("the clock stands still")

    with witness(tmp_path, clock=stopped) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(f"{url}/add-checkpoint", content=HONEST.request(0, 3))
        assert httpx.get(url).status_code == 404
    _, err = capfd.readouterr()
    assert err.count("\n") == 1
    assert err.startswith("witness: no answer to ('127.0.0.1', ")
    assert err.endswith("): RuntimeError: the clock stands still\n")

# SPDX-License-Identifier: Apache-2.0
"""A witness that anybody may ask cannot be held by slow callers, flooded, or made to say much."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.signing import bounded
from assay.signing.bounded import InTime, Limits
from assay.signing.treehead import Verifier
from assay.signing.witness import Desk, Memory, serving
from tests.signing.witness.ledgers import HONEST, VKEY
from tests.until import until

PATIENCE_SECONDS = 0.5
LIMITS = Limits(patience_seconds=PATIENCE_SECONDS, connections=2)
ANSWER_SECONDS = 60.0  # for the answer to what was asked: more than it takes on any machine
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
    return socket.create_connection((str(place.hostname), place.port or 0), ANSWER_SECONDS)


def hung_up(connection: socket.socket) -> bool:
    """Whether they take no byte more."""
    try:
        connection.sendall(b"x")
    except OSError:
        return True
    return False


def asked(connection: socket.socket) -> bytes:
    """The answer to a request that leaves the connection open."""
    connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    return connection.recv(4096)


def is_free(url: str) -> bool:
    """Whether the next caller is answered."""
    try:
        return httpx.get(url, timeout=ANSWER_SECONDS).status_code == 404
    except httpx.TransportError:  # turned away before the request was read
        return False


@pytest.mark.parametrize("beginning", [b"", HEAD], ids=["its head", "its body"])
def test_a_request_that_drips_in_is_given_up(tmp_path: Path, beginning: bytes) -> None:
    with witness(tmp_path) as url, connect(url) as slow:
        slow.sendall(beginning)
        until(lambda: hung_up(slow))  # a byte at a time, each soon enough


def test_a_caller_who_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    with witness(tmp_path) as url, connect(url) as silent:
        assert silent.recv(1) == b""
    assert time.monotonic() - began > PATIENCE_SECONDS * 0.9


def test_what_came_too_late_is_not_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, InTime(ours) as late:
        theirs.sendall(b"x")
        late.until = time.monotonic()
        with pytest.raises(TimeoutError):
            late.read(1)


def test_each_request_of_a_connection_has_the_whole_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, limits = 0.0, Limits(patience_seconds=ANSWER_SECONDS)
    monkeypatch.setattr(bounded, "time", SimpleNamespace(monotonic=lambda: now))
    with witness(tmp_path, limits=limits) as url:
        place = urlsplit(url).netloc
        with closing(HTTPConnection(place, timeout=ANSWER_SECONDS)) as connection:
            for old, new in ((0, 3), (3, 4), (4, 5), (5, 6)):
                connection.request("POST", "/add-checkpoint", HONEST.request(old, new).encode())
                answer = connection.getresponse()
                assert (answer.status, bool(answer.read())) == (200, True)
                now += ANSWER_SECONDS * 0.6  # together longer than one is waited for


def test_of_too_many_connections_the_last_are_turned_away(tmp_path: Path) -> None:
    limits = Limits(connections=2)
    with witness(tmp_path, limits=limits) as url, connect(url) as first, connect(url) as second:
        assert {asked(each)[:9] for each in (first, second)} == {b"HTTP/1.1 "}  # each has a place
        with connect(url) as third:
            assert third.recv(4096).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert third.recv(1) == b""
        first.close()
        until(lambda: is_free(url))


def test_many_connections_are_a_few_threads(tmp_path: Path) -> None:
    with witness(tmp_path, limits=Limits(connections=2)) as url:
        before = set(threading.enumerate())
        callers = [connect(url) for _ in range(50)]
        until(lambda: len(set(threading.enumerate()) - before) == 2)
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
        before = set(threading.enumerate())
        for beginning in (b"", b"P", HEAD, HEAD, b"", HEAD):  # some are turned away
            hanging = connect(url)
            hanging.sendall(beginning)
            reset(hanging)
        until(lambda: is_free(url))  # whoever came before is accepted
        until(lambda: set(threading.enumerate()) <= before)
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_ours_is_one_line_and_the_next_is_answered(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> int:
        raise RuntimeError("the clock stands still")

    with witness(tmp_path, clock=stopped) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(
                f"{url}/add-checkpoint", content=HONEST.request(0, 3), timeout=ANSWER_SECONDS
            )
        until(lambda: is_free(url))
    _, err = capfd.readouterr()
    assert err.count("\n") == 1
    assert err.startswith("witness: no answer to ('127.0.0.1', ")
    assert err.endswith("): RuntimeError: the clock stands still\n")

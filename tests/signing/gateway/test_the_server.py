# SPDX-License-Identifier: Apache-2.0
"""A gateway over HTTP: everything under /v1/ goes through, within limits, and nothing else does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from assay.signing.bounded import Limits
from assay.signing.gateway import Upstream, serving
from tests.running import free_port
from tests.signing.client.registry import Answer, Loopback
from tests.signing.gateway.conftest import caller_of
from tests.signing.gateway.offices import (
    CHAT,
    EVENTS,
    Office,
    delta,
    pieces,
    relay_of,
    stream,
)
from tests.until import until

BODY = b'{"model":"known"}'
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: here\r\n"


def said(url: str, request: bytes) -> bytes:
    """All that the gateway answers until it hangs up."""
    place = urlsplit(url)
    address = (str(place.hostname), place.port or 0)
    with closing(socket.create_connection(address, 30)) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture
def gateway(office: Office, upstream: Upstream) -> Iterator[str]:
    with serving(relay_of(office, upstream), "127.0.0.1", 0) as url:
        yield url


def test_every_other_route_goes_through_as_it_is(behind: Loopback, caller: httpx.Client) -> None:
    zipped = b"\x1f\x8b zipped"
    headers = {"Content-Encoding": "x-any", "X-Request-Id": "7", "Assay-Evidence": "in-answer"}
    behind.on("GET", "/v1/models/a%2Fb?x=1", Answer(body=zipped, headers=headers))
    with caller.stream("GET", "/v1/models/a%2Fb?x=1") as answer:
        assert b"".join(answer.iter_raw()) == zipped
    assert answer.headers.get_list("Assay-Evidence") == ["none"]
    assert (answer.headers["X-Request-Id"], answer.headers["Content-Length"]) == ("7", "9")
    behind.on("DELETE", "/v1/files/1", Answer(status=204))
    assert caller.delete("/v1/files/1").status_code == 204
    behind.on("GET", CHAT, Answer(body=b'{"data":[]}'))  # what is stored there, no answer
    assert caller.get(CHAT).json() == {"data": []}
    assert caller.head(CHAT).status_code == 404
    assert caller.head("/metrics").status_code == 404
    assert caller.post("/v1/embeddings", content=b"x").status_code == 404
    assert behind.seen[-1].body == b"x"
    assert all("host" in each.headers for each in behind.seen)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metrics",
        "/v1",
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/./chat/completions",
        "/v1/chat/completions/",
        "/v1//chat/completions",
        "/v1/%63hat/completions",
    ],
)
def test_what_is_not_under_it_or_hides_what_it_is_is_refused(
    behind: Loopback, gateway: str, path: str
) -> None:
    request = f"POST {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert b" 404 " in said(gateway, request.encode()).partition(b"\r\n")[0]
    assert behind.seen == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"", b"411"),
        (b"Content-Length: x\r\n", b"411"),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", b"411"),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"411"),
        (b"Content-Length: 99999999\r\n", b"413"),
    ],
)
def test_a_body_is_of_one_known_and_bounded_length(
    behind: Loopback, gateway: str, headers: bytes, status: bytes
) -> None:
    answer = said(gateway, HEAD + headers + b"\r\n")
    assert answer.split(b" ")[1] == status
    assert b"Connection: close" in answer
    assert behind.seen == []


def test_who_knows_no_chunks_reads_to_the_end(behind: Loopback, gateway: str) -> None:
    behind.on("POST", CHAT, Answer(body=stream(pieces()), headers=EVENTS))
    request = HEAD.replace(b"1.1", b"1.0") + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    answer = said(gateway, request)
    assert answer.endswith(b"data: [DONE]\n\n")
    assert b"Transfer-Encoding" not in answer


def test_a_cut_body_of_another_route_is_cut_here_too(
    behind: Loopback, caller: httpx.Client
) -> None:
    behind.on("GET", "/v1/files/1/content", Answer(body=b"x" * 100, is_cut=True))
    with pytest.raises(httpx.RemoteProtocolError):
        caller.get("/v1/files/1/content")


def test_an_upstream_that_is_away_is_said_to_be(office: Office) -> None:
    with (
        Upstream(f"http://127.0.0.1:{free_port()}/v1") as nobody,
        serving(relay_of(office, nobody), "127.0.0.1", 0) as url,
        caller_of(url) as caller,
    ):
        answer = caller.post(CHAT, content=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream-unreachable")
    assert answer.headers["X-Should-Retry"] == "true"


@contextmanager
def endless() -> Iterator[tuple[str, list[bool]]]:
    """An upstream whose stream has no end, and whether its caller hung up."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        ended: list[bool] = []

        def answer() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                connection.recv(65536)
                head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                connection.sendall(head)
                piece = stream([delta(content="x" * 1000)], done=False)
                try:
                    while True:
                        connection.sendall(piece)
                except OSError:
                    ended.append(True)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", ended
        thread.join()


def test_who_hangs_up_ends_the_upstreams_work_and_has_nothing_signed(office: Office) -> None:
    with (
        endless() as (behind, ended),
        Upstream(behind) as upstream,
        serving(relay_of(office, upstream), "127.0.0.1", 0) as url,
    ):
        with caller_of(url) as caller, caller.stream("POST", CHAT, content=BODY) as answer:
            next(answer.iter_raw())
        until(lambda: ended == [True])
    assert office.registry.seen == []


def test_a_request_that_drips_in_is_given_up(office: Office, upstream: Upstream) -> None:
    limits = Limits(patience_seconds=0.3, connections=2)
    with serving(relay_of(office, upstream), "127.0.0.1", 0, limits=limits) as url:
        assert said(url, HEAD + b"Content-Length: 10\r\n\r\n") == b""

# SPDX-License-Identifier: Apache-2.0
"""Timestamps for the C2PA library, which knows no other way to ask for them than over HTTP.

It is given an address on the loopback interface that this process answers, for as long as one
manifest takes, so that no request leaves the machine or comes back through the registry's own door.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from assay.signing.bounded import BoundedServer, Limits, RequestHandler
from assay.signing.media import Callback, NoAnswer

MAX_QUERY_BYTES = 4096  # a TimeStampReq has some 60
STOP_SECONDS = 0.01  # how long the last of it waits to be told that it is
TOKEN_BYTES = 16


@contextmanager
def answering(stamp: Callback) -> Iterator[str]:
    """The address; nobody else on this machine can guess it."""
    path = f"/{secrets.token_urlsafe(TOKEN_BYTES)}"

    class Answers(RequestHandler, BaseHTTPRequestHandler):  # named, so that N802 knows do_POST
        protocol_version = "HTTP/1.0"  # one query each: a body left unread is not the next one's

        def do_POST(self) -> None:
            self._answer(*_answer(self, path, stamp))

        def _answer(self, status: HTTPStatus, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = BoundedServer(("127.0.0.1", 0), Answers, limits=Limits(), name="timestamps")
    with server.running(stop_seconds=STOP_SECONDS) as port:
        yield f"http://127.0.0.1:{port}{path}"


def _answer(asked: BaseHTTPRequestHandler, path: str, stamp: Callback) -> tuple[HTTPStatus, bytes]:
    length = asked.headers.get("Content-Length", "")
    if asked.path != path or not length.isdecimal() or int(length) > MAX_QUERY_BYTES:
        return HTTPStatus.NOT_FOUND, b""
    try:
        return HTTPStatus.OK, stamp(asked.rfile.read(int(length)))
    except NoAnswer:
        return HTTPStatus.SERVICE_UNAVAILABLE, b""

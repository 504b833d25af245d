# SPDX-License-Identifier: Apache-2.0
"""Timestamps for the C2PA library, which knows no other way to ask for them than over HTTP.

It is given an address on the loopback interface that this process answers, for as long as one
manifest takes, so that no request leaves the machine or comes back through the registry's own door.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

MAX_QUERY_BYTES = 4096  # a TimeStampReq has some 60
POLL_SECONDS = 0.01  # how long the last of it waits to be told that it is
TOKEN_BYTES = 16


@contextmanager
def answering(stamp: Callable[[bytes], bytes]) -> Iterator[str]:
    """The address; nobody else on this machine can guess it."""
    path = f"/{secrets.token_urlsafe(TOKEN_BYTES)}"

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(*_answer(self, path, stamp))

        def _answer(self, status: HTTPStatus, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the same
            """It is no address of the registry's."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        running = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        running.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{path}"
        finally:
            server.shutdown()
            running.join()


def _answer(
    asked: BaseHTTPRequestHandler, path: str, stamp: Callable[[bytes], bytes]
) -> tuple[HTTPStatus, bytes]:
    length = asked.headers.get("Content-Length", "")
    if asked.path != path or not length.isdecimal() or int(length) > MAX_QUERY_BYTES:
        return HTTPStatus.NOT_FOUND, b""
    try:
        return HTTPStatus.OK, stamp(asked.rfile.read(int(length)))
    except Exception:  # noqa: BLE001 - it is told to who waits for the manifest (library)
        return HTTPStatus.SERVICE_UNAVAILABLE, b""

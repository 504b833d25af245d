# SPDX-License-Identifier: Apache-2.0
"""A witness over HTTP: one route, bodies of a known and small length, nobody waited for for ever.

TLS is left to a proxy in front. Nothing that is asked is secret, and everything asked is signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from ..bounded import BoundedServer, Limits, RequestHandler
from .desk import MAX_REQUEST_BYTES, Answer, Desk

ROUTE = "/add-checkpoint"
LIMITS = Limits()
_LENGTH = re.compile(r"[0-9]{1,9}")


@contextmanager
def serving(desk: Desk, host: str, port: int, *, limits: Limits = LIMITS) -> Iterator[str]:
    """Answer for as long as the block lasts; gives the address (port 0 chooses one)."""

    class Handler(_Handler):
        witness = desk
        patience_seconds = limits.patience_seconds

    with BoundedServer((host, port), Handler, limits=limits, name="witness").running() as found:
        yield f"http://{host}:{found}"


class _Handler(RequestHandler, BaseHTTPRequestHandler):  # named, so that N802 knows do_POST
    server_version, sys_version = "assay-witness", ""
    witness: Desk

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != ROUTE:
            self._refuse(HTTPStatus.NOT_FOUND, f"expected {ROUTE}\n")
        elif not _LENGTH.fullmatch(length):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "expected a Content-Length\n")
        elif int(length) > MAX_REQUEST_BYTES:
            text = f"expected at most {MAX_REQUEST_BYTES} bytes\n"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        else:
            self._answer(self.witness.add_checkpoint(self.rfile.read(int(length))))

    def do_GET(self) -> None:
        self._refuse(HTTPStatus.NOT_FOUND, f"expected POST {ROUTE}\n")

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        """Without the body read, the connection cannot be used again."""
        self.close_connection = True
        self._answer(Answer(status=status, body=text))

    def _answer(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

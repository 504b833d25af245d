# SPDX-License-Identifier: Apache-2.0
"""The gateway over HTTP: requests within bounds, answers in one piece or as they come.

TLS, and who may ask, are left to a proxy in front and to the upstream, which sees the caller's own
key. Nothing is written down of what passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from ..bounded import BoundedServer, Limits, RequestHandler
from .errors import GatewayError, LengthUnknown, RequestTooLarge
from .relay import Relay, Reply, refusal
from .upstream import Request

MAX_REQUEST_BYTES = 16 << 20  # a conversation with pictures in it; it stays in memory
PATIENCE_SECONDS = 60.0  # for a whole request, at 280 KiB/s
MOST_CONNECTIONS = 100  # as many as httpx has to one upstream
LIMITS = Limits(patience_seconds=PATIENCE_SECONDS, connections=MOST_CONNECTIONS)
HTTP_1_0 = "HTTP/1.0"
_LENGTH = re.compile(r"[0-9]{1,12}")
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


@contextmanager
def serving(relay: Relay, host: str, port: int, *, limits: Limits = LIMITS) -> Iterator[str]:
    """Answer for as long as the block lasts; gives the base URL (port 0 chooses one)."""

    class Handler(_Handler):
        gateway = relay
        patience_seconds = limits.patience_seconds

    with BoundedServer((host, port), Handler, limits=limits, name="gateway").running() as found:
        yield f"http://{host}:{found}/v1"


class _Handler(RequestHandler, BaseHTTPRequestHandler):
    server_version, sys_version = "assay-gateway", ""
    gateway: Relay

    def _relay(self) -> None:
        try:
            with self.gateway.answering(self._request()) as reply:
                self._answer(reply)
        except GatewayError as error:
            self._answer(refusal(error))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _relay  # noqa: N815 - the base's names

    def _request(self) -> Request:
        """All of it; raises GatewayError for one that is not read, so that the line is closed."""
        headers = tuple((name, str(value)) for name, value in self.headers.items())
        try:
            body = self.rfile.read(self._length())
        except GatewayError:
            self.close_connection = True
            raise
        return Request(method=self.command, target=self.path, headers=headers, body=body)

    def _length(self) -> int:
        """How long the body is: said once, and in one way, or two readers could differ."""
        lengths = self.headers.get_all("Content-Length", [])
        if not lengths and self.command in _BODILESS and "Transfer-Encoding" not in self.headers:
            return 0
        is_said = len(lengths) == 1 and _LENGTH.fullmatch(lengths[0])
        if not is_said or "Transfer-Encoding" in self.headers:
            raise LengthUnknown("expected one Content-Length, and no Transfer-Encoding")
        if (length := int(lengths[0])) > MAX_REQUEST_BYTES:
            raise RequestTooLarge(
                f"expected a body of at most {MAX_REQUEST_BYTES} bytes, found {length}; "
                "larger ones go to the upstream itself"
            )
        return length

    def _answer(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self._send_whole(reply.body)
        else:
            self._send_pieces(reply, reply.body)

    def _send_whole(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self._end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_pieces(self, reply: Reply, body: Iterator[bytes]) -> None:
        """As they come: of a known length, in chunks, or for who knows no chunks to the end."""
        is_measured = any(name.lower() == "content-length" for name, _ in reply.headers)
        is_chunked = not is_measured and self.request_version != HTTP_1_0
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif not is_measured:
            self.close_connection = True
        self._end_headers()
        if self.command == "HEAD":
            return
        try:
            for piece in body:
                self.wfile.write(_chunk(piece) if is_chunked else piece)
            if is_chunked:
                self.wfile.write(_chunk(b""))
        except GatewayError:  # it broke off: who waits for the rest of it sees the line cut
            self.close_connection = True

    def _end_headers(self) -> None:
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def _chunk(piece: bytes) -> bytes:
    """RFC 9112, 7.1; the empty one is the last."""
    return b"%x\r\n%s\r\n" % (len(piece), piece)

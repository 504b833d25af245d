# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that nobody can hold or flood: so many connections, so long for each request.

The standard library's threads and parsing, with bounds; what is answered is left to those who
use it.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a name for what `readinto` takes, which is there for type checkers alone
    from _typeshed import WriteableBuffer

PATIENCE_SECONDS = 30.0  # a witness is sent 256 KiB, at 9 KiB/s
STOP_SECONDS = 0.1  # how long it may take to see that it is to stop
MOST_CONNECTIONS = 64  # a thread each; a ledger needs one of its witness
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much strangers may ask for at once."""

    patience_seconds: float = PATIENCE_SECONDS
    """For a whole request, from the first wait for it to its last byte, however it drips in."""
    connections: int = MOST_CONNECTIONS


class BoundedServer(ThreadingHTTPServer):
    """A thread for each connection, of which there are only so many."""

    request_queue_size = MOST_CONNECTIONS

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[RequestHandler],
        *,
        limits: Limits,
        name: str,
    ) -> None:
        self._name = name
        self._places = threading.Semaphore(limits.connections)
        super().__init__(address, handler)

    @contextmanager
    def running(self, *, stop_seconds: float = STOP_SECONDS) -> Iterator[int]:
        """Answers for as long as the block lasts; gives the port."""
        thread = threading.Thread(
            target=self.serve_forever, args=(stop_seconds,), name=self._name, daemon=True
        )
        thread.start()
        try:
            yield self.server_port
        finally:
            self.shutdown()
            thread.join()
            self.server_close()

    def process_request_thread(
        self, request: socket | tuple[bytes, socket], client_address: object
    ) -> None:
        """In a thread of its own, so that whoever accepts waits for nobody."""
        if not self._places.acquire(blocking=False):
            self._turn_away(request)
            return
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def _turn_away(self, request: socket | tuple[bytes, socket]) -> None:
        connection = _stream(request)
        connection.settimeout(0)  # a new connection has room for a line, or is gone
        with suppress(OSError):
            connection.send(_FULL)
        self.shutdown_request(request)

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """One line of a fault of ours; of a caller who hung up nothing, as anybody can do that."""
        del request
        error = sys.exception()
        if not isinstance(error, OSError):
            said = f"{type(error).__name__}: {error!s:.200}"
            sys.stderr.write(f"{self._name}: no answer to {client_address}: {said}\n")


class RequestHandler(BaseHTTPRequestHandler):
    """Reads requests, each within the patience that there is for one; says nothing of its own."""

    protocol_version = "HTTP/1.1"  # keep-alive, as tlog-witness asks for
    disable_nagle_algorithm = True  # else a body waits for the acknowledgement of its head
    patience_seconds = PATIENCE_SECONDS

    def setup(self) -> None:
        """As the base does, but what is read is read in time."""
        super().setup()
        self.rfile.close()  # else the socket would stay open behind ours
        self._in_time = InTime(self.connection)
        self.rfile = io.BufferedReader(self._in_time)

    def handle_one_request(self) -> None:
        """One request of a connection; the base hangs up when the time for it is over."""
        self._in_time.until = time.monotonic() + self.patience_seconds
        super().handle_one_request()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing: the answer is enough, and anybody may ask."""


class InTime(io.RawIOBase):
    """What arrives at a socket until a moment; a socket's own timeout begins anew at each byte."""

    def __init__(self, connection: socket) -> None:
        super().__init__()
        self.until = 0.0
        """By the monotonic clock."""
        self._connection = connection

    def readable(self) -> bool:
        """It is for reading alone."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """What is there, at least a byte; TimeoutError when it is too late."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)  # the answer's, too: what is left when all was read
        return self._connection.recv_into(buffer)


def _stream(request: socket | tuple[bytes, socket]) -> socket:
    """The connection; the other form is that of datagrams, which this server has none of."""
    return request[1] if isinstance(request, tuple) else request

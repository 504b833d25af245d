# SPDX-License-Identifier: Apache-2.0
"""A registry on the loopback interface that answers as it is told, and nothing it was not told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TRUST_ROOT = "/.well-known/assay/trust-root.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one route answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    is_cut: bool = False
    """Promise more bytes than are sent."""
    has_ranges: bool = False
    """Answer what a Range asks for, as RFC 9110 has it."""

    def of(self, asked: str | None) -> Answer:
        """The same, or the part that was asked for."""
        if asked is None or not self.has_ranges:
            return self
        first, last = (int(each) for each in asked.removeprefix("bytes=").split("-"))
        shown = {"Content-Range": f"bytes {first}-{last}/{len(self.body)}", **self.headers}
        body = self.body[first : last + 1]
        return replace(self, status=206, body=body, headers=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was asked."""

    method: str
    path: str
    headers: Message[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Loopback:
    """The routes that exist, and every request that came."""

    url: str = ""
    routes: dict[tuple[str, str], Answer] = field(default_factory=dict[tuple[str, str], Answer])
    seen: list[Seen] = field(default_factory=list[Seen])
    before: dict[tuple[str, str], list[Answer]] = field(
        default_factory=dict[tuple[str, str], list[Answer]]
    )
    """What a route answers first, each once."""
    made: dict[tuple[str, str], Callable[[Seen], Answer]] = field(
        default_factory=dict[tuple[str, str], "Callable[[Seen], Answer]"]
    )
    """What a route answers that depends on what was sent."""

    def on(self, method: str, path: str, answer: Answer) -> None:
        self.routes[method, path] = answer

    def answer(self, seen: Seen) -> Answer:
        self.seen.append(seen)
        route = (seen.method, seen.path)
        if self.before.get(route):
            return self.before[route].pop(0)
        if route in self.made:
            return self.made[route](seen)
        return self.routes.get(route, Answer(status=404))

    def on_json(self, method: str, path: str, body: object, *, status: int = 200) -> None:
        self.on(method, path, Answer(status=status, body=json.dumps(body).encode()))


@contextmanager
def loopback() -> Iterator[Loopback]:
    """Run it in a thread for as long as the block lasts."""
    registry = Loopback()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else a body waits for the acknowledgement of its head

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen = Seen(method=self.command, path=self.path, headers=self.headers, body=body)
            found = registry.answer(seen).of(self.headers.get("Range"))
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            if found.status != 204:
                self.send_header("Content-Length", str(len(found.body) + found.is_cut * 10))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(found.body)
            self.close_connection = found.is_cut

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Whoever hung up is told nothing more; what else goes wrong, the client notices."""

    with Server(("127.0.0.1", 0), Handler) as server:
        registry.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()

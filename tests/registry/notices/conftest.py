# SPDX-License-Identifier: Apache-2.0
"""A receiver on loopback for the tests of webhooks, and a lab that watches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from registry.notices import services
from registry.notices.models import Event, Hook
from registry.notices.services import Wanted
from tests.registry.catalog.conftest import world
from tests.registry.catalog.world import World

__all__ = ["world"]  # the fixture


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What answers, and what it was sent."""

    port: int
    status: int = 204
    answer: bytes = b""
    location: str = ""
    pause: threading.Event = field(default_factory=threading.Event)
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """It answers 204 until a test says something else; it hangs while `pause` is not set."""
    settings.WEBHOOKS_TO_LOOPBACK = True
    made = Receiver(port=0)
    made.pause.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            made.received.append(Received(path=self.path, headers=headers, body=body))
            made.pause.wait(20)
            self.send_response(made.status)
            if made.location:
                self.send_header("Location", made.location)
            self.send_header("Content-Length", str(len(made.answer)))
            self.end_headers()
            self.wfile.write(made.answer)

        def log_message(self, *_arguments: object) -> None:
            """Nothing on the terminal."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_arguments: object) -> None:
            """A caller that had enough is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield made
        made.pause.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def hook(world: World, receiver: Receiver) -> Hook:
    """Alice's, of everything about the lab's project, in her own name."""
    return watching(world, receiver)


def watching(
    world: World, receiver: Receiver, *, owner: str = "alice", project: str = "lab/small"
) -> Hook:
    wanted = Wanted(owner=owner, project=project, url=receiver.url, events=Event.values)
    return services.add(wanted, by=world.people.alice)[0]

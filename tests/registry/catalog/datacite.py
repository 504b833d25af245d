# SPDX-License-Identifier: Apache-2.0
"""A server on loopback that takes DOIs as DataCite does, and is as strict about what it is sent.

Its refusals repeat the caller's credentials: nothing of them may be kept.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.conf import settings
from django.utils import timezone

from registry.catalog import tasks
from registry.catalog.models import Checkpoint, Doi
from registry.catalog.services import dois
from tests.registry.catalog.world import World

PREFIX, ACCOUNT, PASSWORD = "10.5072", "ABCD.ASSAY", "open sesame, and: close"
CREDENTIALS = base64.b64encode(f"{ACCOUNT}:{PASSWORD}".encode()).decode()
JSON_API = "application/vnd.api+json"
NEEDED = ("creators", "titles", "publisher", "publicationYear", "types", "url")
STATES = {"publish": "findable", "hide": "registered"}
GOOD = (200, 201)


@dataclass(slots=True)
class DataCite:
    """Its DOIs, each with its state; and what it is to do with the next requests."""

    url: str = ""
    dois: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0
    statuses: list[int] = field(default_factory=list)
    next: list[int | str] = field(default_factory=list)
    """A status, a place to redirect to, or `vanish`: it does as it was told, and says nothing."""

    def take(self, doi: str, attributes: Mapping[str, Any]) -> int:
        """200 for what it has, 201 for what is new, 422 with less than DataCite asks for."""
        is_new, event = doi not in self.dois, attributes["event"]
        record = {**self.dois.get(doi, {}), **attributes}
        is_own = attributes["doi"] == doi and doi.startswith(f"{PREFIX}/")
        is_whole = all(record.get(name) for name in NEEDED)
        if not is_own or not is_whole or (is_new and event != "publish"):
            return 422
        self.dois[doi] = {**record, "state": STATES[event]}
        return 201 if is_new else 200


class Server(ThreadingHTTPServer):
    """One of them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.of = DataCite(url=f"http://127.0.0.1:{self.server_address[1]}")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_PUT(self) -> None:
        made = self.server.of
        made.requests += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted = made.next.pop(0) if made.next else None
        if isinstance(wanted, int):
            self.say(wanted)
        elif wanted == "vanish":
            self.judge(body)
        elif wanted is not None:
            self.say(302, wanted)
        else:
            self.say(self.judge(body))

    def judge(self, body: Mapping[str, Any]) -> int:
        """By whom it is sent, as what, and then by what it says."""
        if self.headers["Authorization"] != f"Basic {CREDENTIALS}":
            return 401
        if self.headers["Content-Type"] != JSON_API or body["data"]["type"] != "dois":
            return 400
        return self.server.of.take(self.path.removeprefix("/dois/"), body["data"]["attributes"])

    def say(self, status: int, place: str = "") -> None:
        """JSON:API, as DataCite's."""
        self.server.of.statuses.append(status)
        title = f"Refused to {self.headers['Authorization']}, whose password is {PASSWORD}"
        errors = [{"status": str(status), "title": title}]
        content = json.dumps({"data": {}} if status in GOOD else {"errors": errors}).encode()
        self.send_response(status)
        if place:
            self.send_header("Location", place)
        self.send_header("Content-Type", f"{JSON_API}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def serving() -> Iterator[DataCite]:
    """It answers until the block ends."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.of
        server.shutdown()
        thread.join()


def name_of(checkpoint: Checkpoint) -> str:
    """The DOI that it can have."""
    assert checkpoint.statement is not None
    index = checkpoint.statement.entry.index
    return f"{settings.DOI_PREFIX}/assay.{checkpoint.manifest_sha256[:16]}.{index}"


def asked(world: World, checkpoint: Checkpoint) -> Doi:
    """By Alice, who owns it."""
    return dois.ask(checkpoint, by=world.people.alice)


def later() -> None:
    """The next attempt's time has come."""
    Doi.objects.update(due_at=timezone.now())
    tasks.register()

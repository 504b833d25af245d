# SPDX-License-Identifier: Apache-2.0
"""People at a registry over HTTP, who ask again until they are answered, whatever dies meanwhile.

A publisher stops at a moment of its publishing, so that a test can kill something just then; a
stranger reads whatever is listed, all the time.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import httpx

from assay.signing.manifest import FileEntry, Manifest
from registry.supervisor import waiting
from tests.registry.catalog.world import FILES
from tests.until import until

CHECKPOINTS = "/api/v1/projects/lab/small/checkpoints"
PATIENCE_SECONDS = 60
LARGE_BYTES = 1_000_000
CREATED, OK, ACCEPTED, CONFLICT = 201, 200, 202, 409
THERE_ALREADY = {"name-taken", "already-published"}
"""What a publisher is told whose submission was kept, and who never got the answer."""


class Moment(StrEnum):
    """At which a publisher stops until it is told to go on."""

    HALF_A_FILE = "half of a file is sent"
    ALL_BUT_A_BYTE = "all but the last byte of the submission is sent"
    NOT_ANSWERED = "the submission is sent, and not answered"
    ANSWERED = "the submission is acknowledged"


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Somebody who publishes one checkpoint, and remembers what was acknowledged."""

    url: str
    secret: str
    name: str
    moment: Moment | None = None
    came: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    acknowledged: Manifest | None = None
    asked_again: int = 0

    def publish(self) -> None:
        """Files, then the submission; each again until it is answered."""
        files = {**FILES, "notes.txt": f"{self.name}\n".encode() * (LARGE_BYTES // len(self.name))}
        manifest = Manifest.of(
            FileEntry(name=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
            for name, content in files.items()
        )
        for file in manifest.files:
            content = files[file.name]
            is_large = file.name == "notes.txt"
            answer = self._ask(
                "PUT",
                f"/api/v1/blobs/sha256:{file.sha256}",
                content,
                (len(content) // 2, Moment.HALF_A_FILE if is_large else None),
            )
            assert answer.status_code in {OK, CREATED}, answer.text
            self.blobs[file.sha256] = content
        self._submit(manifest)

    def _submit(self, manifest: Manifest) -> None:
        request = httpx.Request(
            "POST", self.url, json={"name": self.name, "manifest": manifest.to_json()}
        )
        body = request.read()
        answer = self._ask("POST", CHECKPOINTS, body, (len(body) - 1, Moment.ALL_BUT_A_BYTE))
        is_kept = answer.status_code == CONFLICT and answer.json()["code"] in THERE_ALREADY
        assert answer.status_code == ACCEPTED or (is_kept and self.asked_again), answer.text
        self.acknowledged = manifest
        self._stop_at(Moment.ANSWERED)

    def _ask(
        self, method: str, path: str, body: bytes, stop: tuple[int, Moment | None]
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self.secret}",
            "Content-Length": str(len(body)),
            "Content-Type": "application/json",
        }
        while True:
            until(waiting.is_healthy(self.url))
            try:
                return httpx.request(
                    method,
                    self.url + path,
                    content=self._parts(body, *stop),
                    headers=headers,
                    timeout=PATIENCE_SECONDS,
                    trust_env=False,
                )
            except httpx.TransportError:
                self.asked_again += 1

    def _parts(self, body: bytes, at: int, moment: Moment | None) -> Iterator[bytes]:
        yield body[:at]
        if moment is not None:
            self._stop_at(moment)
        yield body[at:]
        if moment is Moment.ALL_BUT_A_BYTE:  # the same request, a byte later
            self._say(Moment.NOT_ANSWERED)

    def _stop_at(self, moment: Moment) -> None:
        if moment is self.moment:
            self.came.set()
            assert self.may_go_on.wait(PATIENCE_SECONDS)

    def _say(self, moment: Moment) -> None:
        """That it came; the publisher reads its answer, if there will be one."""
        if moment is self.moment:
            self.came.set()


@dataclass(slots=True, kw_only=True)
class Stranger:
    """Somebody who downloads all that is listed, and complains of what is not whole."""

    url: str
    seen: set[str] = field(default_factory=set[str])
    complaints: list[str] = field(default_factory=list[str])
    is_over: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        """Until it is over; a server that is away is asked again."""
        while not self.is_over.is_set():
            until(waiting.is_healthy(self.url))
            try:
                self.look()
            except httpx.TransportError:
                continue

    def look(self) -> None:
        """Once."""
        with httpx.Client(base_url=self.url, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            for listed in client.get(CHECKPOINTS).json()["results"]:
                if listed["name"] not in self.seen:
                    self._download(client, listed["name"])
                    self.seen.add(listed["name"])

    def _download(self, client: httpx.Client, name: str) -> None:
        found = client.get(f"{CHECKPOINTS}/{name}").json()
        files: list[dict[str, Any]] = [*found["files"], found["signature"]]
        for file in files:
            address = urlsplit(file["url"])
            got = client.get(f"{address.path}?{address.query}" if address.query else address.path)
            if hashlib.sha256(got.content).hexdigest() != file["sha256"]:
                self.complaints.append(f"{name}: {file['name']}: {got.status_code}")
        evidence = client.get(f"/api/v1/checkpoints/{found['id']}/evidence")
        if evidence.status_code != OK:
            self.complaints.append(f"{name}: no evidence: {evidence.status_code}")

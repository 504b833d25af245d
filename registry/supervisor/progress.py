# SPDX-License-Identifier: Apache-2.0
"""What the terminal shows after READY: each checkpoint as it is published, with its loss."""

import time
from typing import Any

import httpx

from assay.signing.client import connect

from .terminal import Terminal

LOOK_SECONDS = 2.0
REQUEST_SECONDS = 5.0
SHOWN_DIGEST = len("sha256:") + 12


class Progress:
    """Asks the registry like anybody else, and says what is new; silent when nobody answers."""

    def __init__(self, url: str, project: str, terminal: Terminal) -> None:
        self._path = f"{url}/api/v1/projects/{project}/checkpoints"
        self._terminal = terminal
        self._known: set[str] = set()
        self._next_look_at = 0.0

    @property
    def known(self) -> frozenset[str]:
        """The ids of what was shown."""
        return frozenset(self._known)

    def begin(self) -> None:
        """What was published before this start is no news; it is counted in a line."""
        try:
            listed = self._get("")["results"]
        except httpx.HTTPError:
            return
        self._known = {each["id"] for each in listed if each["state"] == "published"}
        if self._known:
            self._terminal.note(f"{len(self._known)} published before this start")

    def look(self) -> None:
        """Prints what was published since the last look; at most one look in two seconds."""
        if time.monotonic() < self._next_look_at:
            return
        self._next_look_at = time.monotonic() + LOOK_SECONDS
        try:
            for checkpoint in reversed(self._get("")["results"]):
                if checkpoint["state"] == "published" and checkpoint["id"] not in self._known:
                    losses = self._get(f"/{checkpoint['name']}")["losses"]
                    self._known.add(checkpoint["id"])
                    self._say(checkpoint["name"], checkpoint["id"], losses)
        except httpx.HTTPError:
            return  # a restart, or a busy moment; the next look finds it

    def _say(self, name: str, digest: str, losses: dict[str, str] | None) -> None:
        loss = f"  loss {float(losses['validation']):.3f}" if losses else ""
        self._terminal.note(f"{name} published  {digest[:SHOWN_DIGEST]}…{loss}")

    def _get(self, path: str) -> dict[str, Any]:
        with connect(self._path, REQUEST_SECONDS) as http:
            found: dict[str, Any] = http.get(self._path + path).raise_for_status().json()
        return found

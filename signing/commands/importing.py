# SPDX-License-Identifier: Apache-2.0
"""`assay import`: have a registry convert what torch.save wrote, and commit what comes of it.

assay import FILE OWNER/PROJECT [--to NAME] [--registry URL]

The file is not opened here, but for its bytes. Cut off, the same command follows what the registry
has of it. What it says is its word alone: `assay download` verifies what was published.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .. import canonical
from ..client import RegistryClient, address
from ..client.attempts import repeatedly
from ..client.errors import NotPublished
from ..client.uploads import Line, missing, send
from ..digests import as_id, sha256_file
from ..errors import InvalidDocument
from ..manifest import FileEntry
from . import bar
from .arrived import Arrived
from .callers import secret_demanded
from .errors import InputUnreadable
from .pins import Pins, only_registry
from .published import Asked
from .terminal import Ink, Terminal

ANSWER_SECONDS = 300.0
POLL_SECONDS = 1.0
LIMIT_SECONDS = 3600.0  # others' come first, and a large one takes minutes
MAX_TEXT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """How far a registry says that it is."""

    id: str
    state: str
    reason: str
    revision: str
    source: str
    """The digest of what is converted."""
    to: str
    """What it will be called."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the registry's answer; raises InvalidDocument."""
        obj = canonical.as_mapping(value, "import")
        return cls(
            id=canonical.text(obj, "id"),
            state=canonical.text(obj, "state"),
            reason=str(obj.get("reason"))[:MAX_TEXT],
            revision=str(obj.get("revision"))[:MAX_TEXT],
            source=canonical.text(canonical.mapping(obj, "origin"), "sha256"),
            to=canonical.text(obj, "to"),
        )

    @property
    def is_underway(self) -> bool:
        """That it has not ended."""
        return self.state not in {"done", "refused"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay import`."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="what torch.save wrote: .pt, .pth, .bin, .ckpt")
    add("project", metavar="OWNER/PROJECT", help="whose `main` it is committed to")
    add("--to", metavar="NAME", default="model.safetensors", help="what it is called there")
    add("--registry", metavar="URL", help="where; else the one registry that you trust")
    add("--json", action="store_true", help="for programs: one JSON document")


def run(arguments: argparse.Namespace, *, terminal: Terminal, progress: Terminal) -> int:
    """Send it, ask, and wait; raises AssayError, NotPublished with the registry's reason."""
    asked = Asked.parse(arguments.project)
    if asked.checkpoint is not None:
        raise InvalidDocument("project", "OWNER/PROJECT", ascii(arguments.project))
    url = address(arguments.registry or only_registry(Pins.of_user().all(), word="--registry URL"))
    path = f"/api/v1/projects/{asked.project}/imports"
    file: Path = arguments.file
    with RegistryClient(url, secret_demanded(url), timeout_seconds=ANSWER_SECONDS) as client:
        try:
            sha256, size_bytes = sha256_file(file)
            found = _underway(client, path, as_id(sha256), arguments.to)
            if found is None:
                entry = FileEntry(name=file.name, sha256=sha256, size=size_bytes)
                _send(client, asked.project, file, entry, progress)
                body = {"sha256": as_id(sha256), "name": file.name, "to": arguments.to}
                answer = client.post_json(path, body, idempotency_key=str(uuid.uuid4()))
                found = Import.parse(answer)
        except OSError as error:
            raise InputUnreadable(f"{file}: {error.strerror or error}") from error
        done = _followed(client, f"{path}/{found.id}", progress)
    _print(done, asked.project, terminal, is_json=arguments.json)
    return 0


def _underway(client: RegistryClient, path: str, source: str, to: str) -> Import | None:
    """What an earlier command asked for, and did not see the end of.

    Raises NotPublished where that is called something else: a registry converts a file once at a
    time, and refuses the second only when it has been sent again.
    """
    listed = canonical.items({"imports": client.get_json(path)}, "imports")
    each = (Import.parse(value) for value in listed)
    found = next((one for one in each if one.source == source and one.is_underway), None)
    if found is not None and found.to != to:
        raise NotPublished(
            f"expected no import of this file as anything but {to}, found one on its way as "
            f"{found.to}: wait for its end, and ask again"
        )
    return found


def _send(
    client: RegistryClient, project: str, file: Path, entry: FileEntry, progress: Terminal
) -> None:
    wanted, gone = missing(client, (entry,)), Arrived()
    total_bytes = sum(each.size for each in wanted)
    work = bar.Work(verb="sending", total_bytes=total_bytes, done_bytes=lambda: gone.bytes)
    with bar.shown(work, progress):
        line = Line(client=client, project=project, folder=file.parent, sent=gone.more)
        send(line, wanted)


def _followed(client: RegistryClient, path: str, progress: Terminal) -> Import:
    wait: Callable[[float], bool] = threading.Event().wait
    started_at = time.monotonic()
    while True:
        found = Import.parse(repeatedly(lambda: client.get_json(path), wait=wait))
        seconds = time.monotonic() - started_at
        if progress.is_live:
            shown = f"{found.state}, {seconds:.0f} s" if found.is_underway else ""
            progress.replace_line(shown)
        if found.state == "refused":
            raise NotPublished(f"the registry refuses to import it: {found.reason}")
        if found.state == "done":
            return found
        if seconds > LIMIT_SECONDS:
            raise NotPublished(
                f"expected it imported after {LIMIT_SECONDS:.0f} s, found it {found.state}; the "
                "same command goes on waiting"
            )
        wait(POLL_SECONDS)


def _print(done: Import, project: str, terminal: Terminal, *, is_json: bool) -> None:
    name = f"{project}@{done.revision}"
    if is_json:
        said = {"imported": True, "checkpoint": name, "converted_from": done.source}
        terminal.line(json.dumps(said, indent=2))
        return
    terminal.headline("Imported.", Ink.GREEN)
    terminal.columns("", f"converted from {done.source}", indent=2)
    terminal.columns("", f"To verify what was published: assay download {name}", indent=2)

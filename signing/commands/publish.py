# SPDX-License-Identifier: Apache-2.0
"""`assay publish`: send a folder's files, have them signed, and verify what came of it.

assay publish FOLDER OWNER/PROJECT@NAME [--registry URL]

1. Nothing is read before a root is trusted, a token is at hand, and the project is there.
2. Every file is hashed, once. A name that other files have is refused before anything is sent.
3. What the registry has from this caller already is not sent. The rest goes in parallel; cut off,
   the same command goes on with the next file, and of a large one with the next part.
4. The files are handed in under the name, and followed until the registry says "published".
5. Its evidence is verified as `assay verify` does, against the files on the disk. Then, and only
   then, this says so too.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..client import RegistryClient, address
from ..client.attempts import repeatedly
from ..client.publishing import POLL_SECONDS, Publication, State, look, published, submit
from ..client.uploads import Line, missing, send
from ..digests import as_id
from ..errors import InvalidDocument, NoTrustRoot, NotWitnessed
from ..manifest import FileEntry, Manifest, folder_pieces
from . import bar, demands
from .arrived import Arrived
from .callers import secret_demanded
from .errors import InputUnreadable
from .hashing import hasher
from .inputs import Hasher
from .judging import judge
from .pins import Pins, of_registry, only_registry
from .programs import verdict_json
from .published import Asked, find
from .steps import print_steps
from .terminal import Ink, Terminal, size_in_words
from .verdict import Judged, print_verdict

ANSWER_SECONDS = 300.0  # the last byte of a large file is answered once all of it is on the disk
WITNESSED_SECONDS = 120.0  # witnesses are shown a tree head after it is signed
Stamps = Mapping[str, tuple[int, int]]
"""Size and time of the last change of each file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A checkpoint's files: hashed once, and again if one of them changed since."""

    path: Path
    ignore: frozenset[str]
    hash: Hasher
    manifest: Manifest
    stamps: Stamps

    @classmethod
    def read(cls, path: Path, ignore: frozenset[str], progress: Terminal) -> Folder:
        """Hash it; raises InputUnreadable, InvalidDocument, OSError."""
        hash_folder = hasher(ignore, progress)
        if not path.is_dir():
            raise InputUnreadable(f"{path}: expected a folder with a checkpoint's files")
        stamps = _stamps(path, ignore)
        return cls(
            path=path,
            ignore=ignore,
            hash=hash_folder,
            manifest=hash_folder(path),
            stamps=stamps,
        )

    def now(self) -> Manifest:
        """The files on the disk as they are now."""
        is_same = _stamps(self.path, self.ignore) == self.stamps
        return self.manifest if is_same else self.hash(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was published, what had to be sent for it, and what became of its verification."""

    state: State
    publication: Publication
    sent: tuple[FileEntry, ...]
    judged: Judged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay publish`."""
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="the checkpoint's files")
    add("name", metavar="OWNER/PROJECT@NAME", help="what it will be called, for ever")
    add("--registry", metavar="URL", help="where; else the one registry that you trust")
    add(
        "--ignore",
        action="append",
        default=[],
        metavar="NAME",
        help="a file or folder that is not part of the checkpoint; may be repeated",
    )
    demands.add_arguments(parser)
    add("--json", action="store_true", help="for programs: one JSON document")


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    progress: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Publish and verify; 0, or the exit code of the first step that failed. Raises AssayError."""
    asked = Asked.parse(arguments.name)
    pins = Pins.of_user().all()
    if not pins:
        raise NoTrustRoot(
            "no registry is trusted yet, so what is published could not be verified. To trust "
            "one: assay trust add URL"
        )
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    demands.of(arguments, now=clock())  # what is wrong with them is said before anything is sent
    with RegistryClient(url, secret_demanded(url), timeout_seconds=ANSWER_SECONDS) as client:
        client.get_json(f"/api/v1/projects/{asked.project}")  # 1
        try:
            folder = Folder.read(arguments.folder, frozenset(arguments.ignore), progress)  # 2
            publication = _named(asked, folder.manifest)

            def judged() -> Judged:
                shown = repeatedly(lambda: find(client, asked), wait=threading.Event().wait)
                given = shown.judged_with(folder.now())
                demanded = demands.of(arguments, now=clock())
                return judge(given, of_registry(pins, url), demanded, name=str(folder.path))

            done = publish(client, publication, folder, judged=judged, progress=progress)
        except OSError as error:
            name = error.filename or arguments.folder
            raise InputUnreadable(f"{name}: {error.strerror or error}") from error
    failure = done.judged.failure
    if failure is None:
        asked.check(done.judged.examination.verdict().checkpoint)
    if arguments.json:
        terminal.line(json.dumps(_document(done, url), indent=2))
    else:
        _print(done, terminal)
    return 0 if failure is None else failure.exit_code


def publish(
    client: RegistryClient,
    publication: Publication,
    folder: Folder,
    *,
    judged: Callable[[], Judged],
    progress: Terminal,
) -> Done:
    """Send what is missing, hand it in, wait, and have the evidence judged."""
    wait = threading.Event().wait
    known = look(client, publication)
    wanted: tuple[FileEntry, ...] = ()
    if known is None or known.is_rejected:
        wanted = missing(client, publication.manifest.files)
        _send(client, publication.project, folder, wanted, progress)  # 3
        submit(client, publication, wait=wait)  # 4
    try:
        state = published(client, publication, wait=wait, seen=_shown(publication, progress))
    finally:
        if progress.is_live:
            progress.replace_line("")
    return Done(state=state, publication=publication, sent=wanted, judged=_witnessed(judged, wait))


def _named(asked: Asked, manifest: Manifest) -> Publication:
    if asked.checkpoint is None:
        raise InvalidDocument("name", "OWNER/PROJECT@NAME", ascii(asked.project))
    return Publication(project=asked.project, name=asked.checkpoint, manifest=manifest)


def _send(
    client: RegistryClient,
    project: str,
    folder: Folder,
    entries: tuple[FileEntry, ...],
    progress: Terminal,
) -> None:
    gone = Arrived()
    work = bar.Work(
        verb="sending",
        total_bytes=sum(entry.size for entry in entries),
        done_bytes=lambda: gone.bytes,
    )
    with bar.shown(work, progress):
        line = Line(client=client, project=project, folder=folder.path, sent=gone.more)
        send(line, entries)


def _shown(publication: Publication, progress: Terminal) -> Callable[[str], None]:
    started_at = time.monotonic()

    def show(state: str) -> None:
        if progress.is_live:
            seconds = time.monotonic() - started_at
            progress.replace_line(f"{publication.full_name[:50]}: {state}, {seconds:.0f} s")

    return show


def _witnessed(judged: Callable[[], Judged], wait: Callable[[float], bool]) -> Judged:
    """The verdict; witnesses that were asked for are waited for, as the head is a new one."""
    give_up_at = time.monotonic() + WITNESSED_SECONDS
    while isinstance((found := judged()).failure, NotWitnessed):  # 5
        if time.monotonic() > give_up_at or wait(POLL_SECONDS):
            break
    return found


def _stamps(folder: Path, ignore: frozenset[str]) -> Stamps:
    pieces = folder_pieces(folder, ignore=ignore)
    return {each.name: (each.file_bytes, each.path.stat().st_mtime_ns) for each in pieces}


def _document(done: Done, url: str) -> dict[str, object]:
    manifest = done.publication.manifest
    return {
        "published": done.judged.failure is None,
        "registry": url,
        "project": done.publication.project,
        "checkpoint": done.publication.name,
        "id": as_id(manifest.id),
        "url": done.state.url,
        "files": len(manifest.files),
        "bytes": manifest.size_bytes,
        "sent_files": len(done.sent),
        "sent_bytes": sum(entry.size for entry in done.sent),
        "verification": verdict_json(done.judged),
    }


def _print(done: Done, terminal: Terminal) -> None:
    if done.judged.failure is not None:
        print_steps(done.judged.examination.steps, terminal)
        print_verdict(done.judged, terminal)
        said = (
            f"The registry says that it published {done.publication.full_name}. Do not rely on it."
        )
        terminal.columns("", said, indent=2)
        return
    print_verdict(done.judged, terminal)
    terminal.line()
    terminal.headline("Published.", Ink.GREEN)
    terminal.columns("", done.state.url, indent=2)
    terminal.columns("", _amount(done), indent=2)


def _amount(done: Done) -> str:
    manifest = done.publication.manifest
    size = size_in_words(manifest.size_bytes)
    sent = size_in_words(sum(entry.size for entry in done.sent))
    return f"{_files(len(manifest.files))}, {size}; {_files(len(done.sent))} sent, {sent}"


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"

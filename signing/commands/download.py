# SPDX-License-Identifier: Apache-2.0
"""`assay download`: fetch a checkpoint, and let it appear once every byte of it is verified.

assay download OWNER/PROJECT[@CHECKPOINT] [--to FOLDER] [--registry URL]

1. The evidence comes first: what does not verify by itself, or is not what was asked for, is not
   downloaded.
2. The files grow in FOLDER.part, in parallel; cut off, the same command goes on from there.
3. All of them are hashed and verified as `assay verify` does. Then, and only then, the folder
   gets its name, with the evidence beside it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ..client import RegistryClient, address
from ..client.downloads import Parts, fetch
from ..manifest import Manifest
from . import bar, demands
from .arrived import Arrived
from .callers import secret_for
from .errors import DestinationTaken, InputUnreadable
from .hashing import hasher
from .inputs import EVIDENCE_SUFFIX
from .judging import judge
from .pins import Pins, of_registry, only_registry
from .programs import print_json
from .public import write_public
from .published import Asked, Published, add_names, find
from .steps import print_steps
from .terminal import Terminal, safe, size_in_words
from .verdict import Judged, print_verdict

PART_SUFFIX = ".part"
ROUNDS = 2  # what arrived damaged is fetched once more
STALLED_SECONDS = 20.0  # without a byte: then it is asked for again


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay download`."""
    add = parser.add_argument
    add("name", metavar="OWNER/PROJECT[@CHECKPOINT]", help="which; the newest, if none is named")
    add("--to", type=Path, metavar="FOLDER", help="where; else PROJECT-CHECKPOINT, here")
    add("--registry", metavar="URL", help="from where; else the one registry that you trust")
    add_names(parser)
    demands.add_arguments(parser)
    add("--json", action="store_true", help="for programs: one JSON document")


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    progress: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Download, verify, and only then show; 0, or the exit code of the first step that failed."""
    asked = Asked.parse(arguments.name, signed_as=arguments.signed_as)
    pins = Pins.of_user().all()
    demanded = demands.of(arguments, now=clock())
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    # What not everybody may see is shown to who the token says.
    with RegistryClient(url, secret_for(url), timeout_seconds=STALLED_SECONDS) as client:
        published = find(client, asked)
        project = asked.project.rpartition("/")[2]
        folder: Path = arguments.to or Path(f"{project}-{published.name}")

        def judged(files: Manifest, at: Path | None) -> Judged:
            given = published.judged_with(files, at)
            return judge(given, of_registry(pins, url), demanded, name=str(folder))

        try:
            found = download(client, published, folder, judged=judged, progress=progress)
        except OSError as error:
            name = error.filename or folder
            raise InputUnreadable(f"{name}: {error.strerror or error}") from error
    if arguments.json:
        print_json(found, terminal)
    elif found.failure is not None:
        print_steps(found.examination.steps, terminal)
        print_verdict(found, terminal)
    else:
        print_verdict(found, terminal)
        size = size_in_words(published.evidence.manifest.size_bytes)
        terminal.line(f"\n  {safe(str(folder))}: {size}")
    return 0 if found.failure is None else found.failure.exit_code


def download(
    client: RegistryClient,
    published: Published,
    folder: Path,
    *,
    judged: Callable[[Manifest, Path | None], Judged],
    progress: Terminal,
    seed: Callable[[Parts], None] = lambda _: None,
) -> Judged:
    """Fetch into `folder`, which appears only if all is judged well; raises DestinationTaken.

    `seed` may put files there that are at hand; they are hashed like all others.
    """
    if not folder.name:  # `.` and `/`, which are there, and have nothing beside them
        raise DestinationTaken(f"expected a new folder, found {folder}: give it a name")
    place = folder.with_name(folder.name + PART_SUFFIX)
    evidence = folder.with_name(folder.name + EVIDENCE_SUFFIX)
    # Beside parts it is ours, of a call that was killed just before its end.
    for taken in (folder,) if place.exists() else (folder, evidence):
        if os.path.lexists(taken):
            raise DestinationTaken(f"expected nothing at {taken}, found something: it was left")
    found = judged(published.evidence.manifest, None)  # 1
    if found.failure is not None:
        return found
    published.asked.check(found.examination.verdict().checkpoint)
    with Parts.of(place, published.evidence.manifest) as parts:
        seed(parts)
        found = judged(_fetched(client, parts, progress), parts.files)  # 2, 3
        if found.failure is None:
            for name, data in published.beside():
                write_public(parts.aside / name, data)
                (parts.aside / name).replace(parts.files / name)
            write_public(evidence, published.evidence.canonical())  # first: it alone harms nobody
            parts.become(folder)
    return found


def _fetched(client: RegistryClient, parts: Parts, progress: Terminal) -> Manifest:
    """Fetch what is missing, and hash all of it; what arrived damaged is fetched once more."""
    hash_folder = hasher(frozenset(), progress)
    for _ in range(ROUNDS - 1):
        _fetch(client, parts, progress)
        damaged = parts.manifest.differences(found := hash_folder(parts.files)).changed
        if not damaged:
            return found
        for name in damaged:
            parts.forget(name)
    _fetch(client, parts, progress)
    return hash_folder(parts.files)


def _fetch(client: RegistryClient, parts: Parts, progress: Terminal) -> None:
    arrived = Arrived()
    work = bar.Work(
        verb="downloading",
        total_bytes=sum(each.stop - each.start for each in parts.missing()),
        done_bytes=lambda: arrived.bytes,
    )
    with bar.shown(work, progress):
        fetch(client, parts, arrived=arrived.more)

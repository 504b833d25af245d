# SPDX-License-Identifier: Apache-2.0
"""Files by their digests, in parallel ranges, going on where an earlier download stopped.

What is there is written down beside the parts: a memory, and no proof. After a power cut it may
remember bytes that were never stored, so whoever asked hashes every file before using it, and has
those fetched anew that are not what they should be (`Parts.forget`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ..durable import link_or_copy, remove_parts, sync, sync_tree, write_file
from ..manifest import FileEntry, Manifest
from .attempts import repeatedly
from .errors import ClientError, PartsTaken, RegistryUnreachable
from .registry import RegistryClient

SEGMENT_BYTES = 16 << 20  # what is lost at most for each connection when a download is cut off
CONNECTIONS = 4  # more gain nothing against one server (notes: clients of other hubs use 4 to 8)
FILES, MEMORY = "files", "memory"
_ID_FILE, _LOCK_FILE = "checkpoint", "lock"
_DONE = b"+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Some bytes of a file: from `start`, up to but not including `stop`."""

    file: int
    """Which file of the manifest."""
    number: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A folder that the files of one manifest grow in, and beside them what is known of them."""

    folder: Path
    manifest: Manifest

    @classmethod
    @contextmanager
    def of(cls, folder: Path, manifest: Manifest) -> Generator[Self]:
        """A new folder, or that of an earlier call, for one process at a time.

        Raises PartsTaken for a folder that holds something else, or that somebody else fills.
        """
        memory = folder / MEMORY
        if folder.exists() and not {each.name for each in folder.iterdir()} <= {FILES, MEMORY}:
            raise PartsTaken(f"expected {folder} to hold parts of a download, found other files")
        memory.mkdir(parents=True, exist_ok=True)
        with (memory / _LOCK_FILE).open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise PartsTaken(f"another download is filling {folder}: wait for it") from error
            remove_parts(memory)
            known, wanted = memory / _ID_FILE, manifest.id.encode()
            if not known.exists() and not (folder / FILES).exists():
                write_file(known, wanted)
            if not known.exists() or known.read_bytes() != wanted:
                raise PartsTaken(
                    f"expected {folder} to hold parts of this checkpoint, found others"
                )
            yield cls(folder=folder, manifest=manifest)

    def missing(self) -> Iterator[Segment]:
        """What is not there yet, in order; the files are made, and have their sizes."""
        for file, entry in enumerate(self.manifest.files):
            path = self.files / entry.name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.stat().st_size != entry.size:
                with path.open("ab") as growing:
                    growing.truncate(entry.size)
            done = self._done(file)
            for number, start in enumerate(range(0, entry.size, SEGMENT_BYTES)):
                if done[number : number + 1] != _DONE:
                    stop = min(start + SEGMENT_BYTES, entry.size)
                    yield Segment(file=file, number=number, start=start, stop=stop)

    @property
    def files(self) -> Path:
        """Where the files are."""
        return self.folder / FILES

    @property
    def aside(self) -> Path:
        """Where what is not whole yet is no file of the manifest, and is removed after a kill."""
        return self.folder / MEMORY

    def entry(self, segment: Segment) -> FileEntry:
        """The file that a segment is of."""
        return self.manifest.files[segment.file]

    def remember(self, segment: Segment) -> None:
        """Write down that a segment is there."""
        descriptor = os.open(self._memory(segment.file), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, _DONE, segment.number)
        finally:
            os.close(descriptor)

    def forget(self, name: str) -> None:
        """Have a file fetched anew, all of it."""
        names = [entry.name for entry in self.manifest.files]
        self._memory(names.index(name)).unlink(missing_ok=True)
        path = self.files / name
        if path.exists() and path.stat().st_nlink > 1:  # adopted: others have the same file
            path.unlink()

    def adopt(self, entry: FileEntry, source: Path) -> None:
        """Take a file that is at hand as one that has come, if nothing of it has come yet.

        It is not written to: what turns out to be damaged is removed, and then fetched.
        """
        path = self.files / entry.name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(source, path, aside=self.aside)
            segments = -(-entry.size // SEGMENT_BYTES)
            file = [each.name for each in self.manifest.files].index(entry.name)
            self._memory(file).write_bytes(_DONE * segments)

    def become(self, folder: Path) -> None:
        """The files are what they should be: they appear, all at once and durable, as a folder."""
        sync_tree(self.files)
        self.files.rename(folder)
        sync(folder.parent)
        shutil.rmtree(self.folder)

    def _done(self, file: int) -> bytes:
        try:
            return self._memory(file).read_bytes()
        except FileNotFoundError:
            return b""

    def _memory(self, file: int) -> Path:
        return self.aside / str(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What every thread of one download shares."""

    client: RegistryClient
    parts: Parts
    arrived: Callable[[int], None]
    hung_up: threading.Event = field(default_factory=threading.Event)


def fetch(client: RegistryClient, parts: Parts, *, arrived: Callable[[int], None]) -> None:
    """Fetch what is missing; raises ClientError, or OSError for a full disk.

    `arrived` is told of bytes, from several threads. Whatever arrived is kept for the next call.
    """
    line = Line(client=client, parts=parts, arrived=arrived)
    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        tasks = [pool.submit(_fetch, line, segment) for segment in parts.missing()]
        ended, _ = wait(tasks, return_when=FIRST_EXCEPTION)
        for task in ended:
            task.result()
    finally:
        line.hung_up.set()  # an interrupt, or one refusal, ends what the others do at once
        pool.shutdown(cancel_futures=True)


def _fetch(line: Line, segment: Segment) -> None:
    """One segment, asked for again where that may help."""
    repeatedly(lambda: _write(line, segment), wait=line.hung_up.wait)
    line.parts.remember(segment)


def _write(line: Line, segment: Segment) -> None:
    entry = line.parts.entry(segment)
    place = segment.start
    with (line.parts.files / entry.name).open("r+b") as file:
        file.seek(place)
        try:
            for chunk in line.client.blob_range(entry.sha256, segment.start, segment.stop):
                file.write(chunk)
                place += len(chunk)
                line.arrived(len(chunk))
                if line.hung_up.is_set():
                    raise RegistryUnreachable("the download was ended")
        except ClientError:
            line.arrived(segment.start - place)  # they are asked for again
            raise

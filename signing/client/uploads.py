# SPDX-License-Identifier: Apache-2.0
"""Files to a registry, in parallel, each under a digest that is known; none that it has already.

An upload that is cut off goes on with the next file that is not there, and of a large one with the
next part (parts.py): the registry remembers who sent what, so nothing has to be remembered here.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..digests import CHUNK_BYTES
from ..errors import InvalidDocument
from ..hashing import STAYS
from ..manifest import FileEntry
from . import parts
from .attempts import repeatedly
from .errors import RegistryUnreachable
from .parts import Parts
from .registry import RegistryClient

CONNECTIONS = 4  # as for downloads: more gain nothing against one server


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What every thread of one upload shares."""

    client: RegistryClient
    project: str
    folder: Path
    sent: Callable[[int], None]
    hung_up: threading.Event = field(default_factory=threading.Event)


def missing(client: RegistryClient, entries: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
    """Those whose bytes the registry has not got from this caller, each digest once.

    Raises ClientError.
    """
    wanted = tuple({entry.sha256: entry for entry in entries}.values())

    def is_there(entry: FileEntry) -> bool:
        return repeatedly(lambda: client.has_blob(entry.sha256), wait=threading.Event().wait)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        try:
            found = tuple(pool.map(is_there, wanted))
        finally:
            pool.shutdown(cancel_futures=True)  # after an error nobody wants the rest
    return tuple(entry for entry, has in zip(wanted, found, strict=True) if not has)


def send(line: Line, entries: Sequence[FileEntry]) -> None:
    """Send files of the folder; raises ClientError, InvalidDocument for one that changed, OSError.

    The large ones first, so that none of them is alone at the end.
    """
    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        largest_first = sorted(entries, key=lambda entry: -entry.size)
        tasks = [pool.submit(_way(entry), line, entry) for entry in largest_first]
        ended, _ = wait(tasks, return_when=FIRST_EXCEPTION)
        for task in ended:
            task.result()
    finally:
        line.hung_up.set()  # an interrupt, or one refusal, ends what the others do at once
        pool.shutdown(cancel_futures=True)


def _way(entry: FileEntry) -> Callable[[Line, FileEntry], None]:
    return _send_in_parts if entry.size > parts.FROM_BYTES else _send


def _send_in_parts(line: Line, entry: FileEntry) -> None:
    """One file; what has come of it is sent no more, neither now nor by another process."""
    wait = line.hung_up.wait
    ask = partial(parts.wanted, line.client, line.project, entry)
    found = repeatedly(ask, wait=wait)
    if found is None:
        line.sent(entry.size)
        return
    line.sent(sum(map(found.length, found.etags)))
    etags = dict(found.etags)
    for number in found.numbers:
        if number not in etags:
            etags[number] = repeatedly(partial(_send_part, line, entry, found, number), wait=wait)
    body = found.ended(etags)
    repeatedly(lambda: line.client.post_json(found.whole, body), wait=wait)


def _send_part(line: Line, entry: FileEntry, of: Parts, number: int) -> str:
    start, stop = of.span(number)
    content = Content(line=line, entry=entry, start=start, stop=stop)
    with content.counted():
        return line.client.put_part(of.paths[number - 1], stop - start, iter(content))


def _send(line: Line, entry: FileEntry) -> None:
    """One file, sent again where that may help and the registry has not got it after all."""
    number = itertools.count()

    def attempt() -> None:
        if next(number) and line.client.has_blob(entry.sha256):
            line.sent(entry.size)
            return
        content = Content(line=line, entry=entry, start=0, stop=entry.size)
        with content.counted():
            line.client.put(entry.sha256, entry.size, iter(content))

    repeatedly(attempt, wait=line.hung_up.wait)


@dataclass(slots=True, kw_only=True)
class Content:
    """A file's bytes from `start` to `stop` on their way, and how many have been sent."""

    line: Line
    entry: FileEntry
    start: int
    stop: int
    sent_bytes: int = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """If the block fails, none were sent: they are sent again, or not at all."""
        try:
            yield
        except BaseException:
            self.line.sent(-self.sent_bytes)
            raise

    def __iter__(self) -> Iterator[bytes]:
        """As many as it had when it was hashed; no link is followed that took its place."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
        path = self.line.folder.joinpath(*self.entry.name.split("/"))
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - Path.open knows no flags
            file.seek(self.start)
            while left := self.stop - self.start - self.sent_bytes:
                chunk = file.read(min(CHUNK_BYTES, left))
                if not chunk:
                    raise InvalidDocument(ascii(self.entry.name), STAYS, "one that became shorter")
                if self.line.hung_up.is_set():
                    raise RegistryUnreachable("the upload was ended")
                self.sent_bytes += len(chunk)
                self.line.sent(len(chunk))
                yield chunk

# SPDX-License-Identifier: Apache-2.0
"""Hash files on every core: each byte read once, for all the digests that are wanted of it.

Threads suffice, because read(2) and the hash functions let the others run meanwhile; they share
nothing. A file that changes between the look at its folder and its last byte is refused: a digest
of half the old bytes and half the new ones is the digest of nothing that ever was.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from .errors import InvalidDocument
from .values import dataclass

SHA256 = "sha256"
BUFFER_BYTES = 128 << 10  # stays in a core's own cache; with 1 MiB it was a sixth slower
MOST_THREADS = 64  # with a buffer each, a fraction of the 64 MiB that hashing may take
# Small files go to a thread together: to hand one over costs as much as to hash 64 KiB.
BATCH_BYTES = 8 << 20
BATCH_FILES = 64
AHEAD = 2  # batches for each thread that wait: enough that none is idle, and no more in memory
STAYS = "a file that stays as it is while it is read"

Digests: TypeAlias = tuple[str, ...]
"""In hexadecimal, one for each algorithm that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes `start` up to, not including, `end`, of a file that has `file_bytes`."""

    path: Path
    name: str
    """What messages call the file."""
    file_bytes: int
    start: int
    end: int
    follows_links: bool = False

    @classmethod
    def whole(cls, path: Path, name: str, *, follows_links: bool = False) -> Piece:
        """All of a file, as large as it is now. OSError."""
        size_bytes = path.stat(follow_symlinks=follows_links).st_size
        return cls(
            path=path,
            name=name,
            file_bytes=size_bytes,
            start=0,
            end=size_bytes,
            follows_links=follows_links,
        )


def digests(
    pieces: Iterable[Piece], algorithms: tuple[str, ...] = (SHA256,)
) -> Iterator[tuple[Piece, Digests]]:
    """Each piece with its digests, in the order given.

    Raises InvalidDocument for what is no regular file, or changes while it is read. OSError.
    """
    from concurrent import futures  # noqa: PLC0415 - it takes 2 ms, and most that start hash nothing

    def work(batch: list[Piece]) -> list[tuple[Piece, Digests]]:
        buffer = bytearray(BUFFER_BYTES)
        return [(piece, _digest(piece, algorithms, buffer)) for piece in batch]

    with futures.ThreadPoolExecutor(threads()) as pool:
        waiting: deque[futures.Future[list[tuple[Piece, Digests]]]] = deque()
        try:
            for batch in _batches(pieces):
                waiting.append(pool.submit(work, batch))
                if len(waiting) > AHEAD * threads():
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for left in waiting:  # after an error nobody wants the rest
                left.cancel()


def threads() -> int:
    """As many as there are cores for this process to run on."""
    return min(MOST_THREADS, _cores())


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def _batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    size_bytes = 0
    for piece in pieces:
        batch.append(piece)
        size_bytes += piece.end - piece.start
        if size_bytes >= BATCH_BYTES or len(batch) == BATCH_FILES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _digest(piece: Piece, algorithms: tuple[str, ...], buffer: bytearray) -> Digests:
    hashers = [hashlib.new(algorithm) for algorithm in algorithms]
    # Without O_NONBLOCK a pipe that took the file's place would be waited for for ever.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(piece.path, flags if piece.follows_links else flags | os.O_NOFOLLOW)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise InvalidDocument(ascii(piece.name), "a regular file", "a link or special file")
        _read(descriptor, piece, buffer, [hasher.update for hasher in hashers])
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if not before.st_size == after.st_size == piece.file_bytes:
        raise InvalidDocument(ascii(piece.name), STAYS, "one whose size changed")
    if before.st_mtime_ns != after.st_mtime_ns:
        raise InvalidDocument(ascii(piece.name), STAYS, "one that was written to")
    return tuple(hasher.hexdigest() for hasher in hashers)


def _read(
    descriptor: int, piece: Piece, buffer: bytearray, updates: list[Callable[[memoryview], None]]
) -> None:
    """Give every hasher the bytes of a piece, each read once; less, if the file ends before."""
    place = piece.start
    with memoryview(buffer) as view:
        while place < piece.end:
            count = os.preadv(descriptor, [view[: piece.end - place]], place)
            if count == 0:
                return
            for update in updates:
                update(view[:count])
            place += count

# SPDX-License-Identifier: Apache-2.0
"""Stores, opens and sweeps blobs. Who may read one is for the apps that know what it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.db import connection, transaction

from . import quotas
from .errors import BlobLost
from .files import PART_PREFIX, Part, blobs_folder, parts_folder, path_of
from .models import Blob, Holding
from .queries import held, holds, size_of, sizes
from .quotas import OURSELVES
from .space import check_room

__all__ = [
    "OURSELVES",
    "Part",
    "admit",
    "charge",
    "check_room",
    "drop",
    "forget_holder",
    "held",
    "hold",
    "holds",
    "keep",
    "open_blob",
    "path_of",
    "record",
    "size_of",
    "sizes",
    "store",
    "sweep",
    "sweep_orphans",
]

CHUNK_BYTES = 1024 * 1024
# A part this old has no upload behind it any more: the longest upload at 1 MB/s is shorter.
ABANDONED_AFTER = timedelta(days=1)
BLOBS = f"{'[0-9a-f]' * 2}/{'[0-9a-f]' * 64}"
BATCH = 5000
FOLDER_LOCK = 0x61737362  # PostgreSQL's other space of locks, of two numbers: this, and the folder
SHARED = "SELECT pg_advisory_xact_lock_shared(%s, folder) FROM unnest(%s::int[]) AS folder"
EXCLUSIVE = "SELECT pg_advisory_xact_lock(%s, folder) FROM unnest(%s::int[]) AS folder"
HOLD = "SELECT sha256 FROM storage_blob WHERE sha256 = ANY(%s) ORDER BY sha256 FOR KEY SHARE"
Needed = Callable[[Collection[str]], frozenset[str]]
"""Which of these blobs the rows of other apps name."""


def store(source: Path | bytes | BinaryIO, *, holder: str) -> Blob:
    """Stores bytes of our own (a policy, model.sig) for the holder."""
    with Part() as part:
        for chunk in _chunks(source):
            part.write(chunk)
        keep(part, holder=holder)
        return Blob.objects.get(pk=part.sha256)


def admit(holder: str, sha256: str, *, size_bytes: int) -> None:
    """Raises QuotaExceeded for what could not be kept: ask when it is announced, and again later.

    What decides is `keep`; this spares everybody the bytes.
    """
    quotas.check(holder, sha256, size_bytes)


def keep(part: Part, *, holder: str) -> None:
    """Makes a part a blob: nothing removes its file before there is its row.

    Raises QuotaExceeded. The bytes are synced before the holder's other uploads have to wait.
    """
    part.sync()
    sizes = {part.sha256: part.size_bytes}
    with transaction.atomic():
        _lock(SHARED, sizes)
        quotas.lock(holder, sizes)
        part.keep()
        _record(sizes, holder)


def charge(holder: str, digests: Collection[str]) -> None:
    """Count what is published under a name as stored by it; raises QuotaExceeded.

    In the caller's transaction, which has named these blobs.
    """
    quotas.lock(holder, sizes(digests))
    quotas.claim(holder, digests)


def record(sizes: Mapping[str, int], *, holder: str) -> None:
    """The rows of blobs that are durably on the disk, and the holder's claim to them, together.

    In one order whoever records them, so that two who record the same ones do not lock each other.
    Raises BlobLost for what was removed, having no row, before it got one here; QuotaExceeded.
    """
    with transaction.atomic():
        _lock(SHARED, sizes)
        quotas.lock(holder, sizes)
        for sha256 in sizes:
            if not path_of(sha256).exists():
                raise BlobLost(f"expected the blob sha256:{sha256} on the disk; send it again")
        _record(sizes, holder)


def _record(sizes: Mapping[str, int], holder: str) -> None:
    blobs = [Blob(sha256=sha256, size_bytes=sizes[sha256]) for sha256 in sorted(sizes)]
    Blob.objects.bulk_create(blobs, ignore_conflicts=True)
    quotas.claim(holder, sizes)


def hold(digests: Collection[str]) -> frozenset[str]:
    """Those of these that are here, and stay until the caller's transaction has named them."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [sorted(digests)])
        return frozenset(sha256 for (sha256,) in cursor.fetchall())


def open_blob(sha256: str) -> BinaryIO:
    """The blob's bytes, to be closed by the caller; raises BlobLost."""
    try:
        return path_of(sha256).open("rb")
    except FileNotFoundError as error:
        raise BlobLost(f"expected the blob sha256:{sha256} on the disk") from error


def forget_holder(holder: str) -> None:
    """That somebody sent what they sent is kept no longer; the bytes are."""
    Holding.objects.filter(holder=holder).delete()
    quotas.forget(holder)


def drop(digests: Collection[str], *, needed: Needed) -> None:
    """Remove what no row of other apps needs and nobody holds, from the disk once that is durable.

    Whoever names a blob holds its row, and whoever sends one its folder: asked is after both.
    """
    _lock(EXCLUSIVE, digests)
    rows = Blob.objects.select_for_update().filter(pk__in=digests).order_by("pk")
    there = frozenset(rows.values_list("pk", flat=True))
    held = Holding.objects.filter(blob__in=there).exclude(holder=OURSELVES)
    gone = there - needed(there) - frozenset(held.values_list("blob_id", flat=True))
    Holding.objects.filter(blob__in=gone).delete()
    Blob.objects.filter(pk__in=gone).delete()

    def unlink() -> None:
        for sha256 in gone:
            _remove(sha256)

    transaction.on_commit(unlink, robust=True)  # what fails here is left to the sweep


def sweep(*, now: datetime) -> int:
    """Removes parts whose upload died a day ago; returns how many."""
    removed = 0
    for part in parts_folder().glob(f"{PART_PREFIX}*"):
        if _is_old(part, now):
            part.unlink(missing_ok=True)
            removed += 1
    return removed


def sweep_orphans(*, now: datetime) -> int:
    """Removes files of a day ago that no row names, which crashes leave; returns how many.

    None where there are no rows at all: it is the wrong database, or one that was not restored yet.
    """
    old = [path.name for path in blobs_folder().glob(BLOBS) if _is_old(path, now)]
    if not old or not Blob.objects.exists():
        return 0
    orphans = [one for some in _batches(old) for one in sorted(set(some) - sizes(some).keys())]
    return sum(map(_remove, orphans))


def _is_old(path: Path, now: datetime) -> bool:
    with suppress(FileNotFoundError):  # finished, or swept by another process, just now
        return path.stat().st_mtime < (now - ABANDONED_AFTER).timestamp()
    return False


def _lock(way: str, digests: Collection[str]) -> None:
    """Lock the folders of these blobs until the caller's transaction ends.

    Shared while files and rows come, alone while they go. A lock for each folder, not for each
    digest: a data set has more files than PostgreSQL has locks to give.
    """
    folders = sorted({int(sha256[:2], 16) for sha256 in digests})
    with connection.cursor() as cursor:
        cursor.execute(way, [FOLDER_LOCK, folders])


def _remove(sha256: str) -> bool:
    """Unlink a file unless it has a row by now; whether it did."""
    with transaction.atomic():
        _lock(EXCLUSIVE, [sha256])
        if Blob.objects.filter(pk=sha256).exists():
            return False
        path_of(sha256).unlink(missing_ok=True)
        return True


def _batches(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]


def _chunks(source: Path | bytes | BinaryIO) -> Iterator[bytes]:
    match source:
        case bytes():
            yield source
        case Path():
            with source.open("rb") as file:
                yield from iter(lambda: file.read(CHUNK_BYTES), b"")
        case _:
            yield from iter(lambda: source.read(CHUNK_BYTES), b"")

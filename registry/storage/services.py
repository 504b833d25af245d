# SPDX-License-Identifier: Apache-2.0
"""Stores, opens and sweeps blobs. Who may read one is for the apps that know what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from .errors import BlobLost
from .files import PART_PREFIX, Part, parts_folder, path_of
from .models import Blob, Holding
from .queries import held, holds, size_of, sizes

__all__ = [
    "Part",
    "held",
    "holds",
    "open_blob",
    "path_of",
    "record",
    "size_of",
    "sizes",
    "store",
    "sweep",
]

CHUNK_BYTES = 1024 * 1024
OURSELVES = "system"  # who holds what the registry writes itself, such as model signatures
# A part this old has no upload behind it any more: the longest upload at 1 MB/s is shorter.
ABANDONED_AFTER = timedelta(days=1)


def store(source: Path | bytes | BinaryIO, *, holder: str) -> Blob:
    """Stores bytes of our own (a policy, a data set, model.sig) for the holder."""
    with Part() as part:
        for chunk in _chunks(source):
            part.write(chunk)
        part.keep()
        record({part.sha256: part.size_bytes}, holder=holder)
        return Blob.objects.get(pk=part.sha256)


def record(sizes: Mapping[str, int], *, holder: str) -> None:
    """The rows of blobs that are durably on the disk, and the holder's claim to them, together.

    In one order whoever records them, so that two who record the same ones do not lock each other.
    """
    blobs = [Blob(sha256=sha256, size_bytes=sizes[sha256]) for sha256 in sorted(sizes)]
    holdings = [Holding(blob=blob, holder=holder) for blob in blobs]
    with transaction.atomic():
        Blob.objects.bulk_create(blobs, ignore_conflicts=True)
        Holding.objects.bulk_create(holdings, ignore_conflicts=True)


def open_blob(sha256: str) -> BinaryIO:
    """The blob's bytes, to be closed by the caller; raises BlobLost."""
    try:
        return path_of(sha256).open("rb")
    except FileNotFoundError as error:
        raise BlobLost(f"expected the blob sha256:{sha256} on the disk") from error


def forget_holder(holder: str) -> None:
    """That somebody sent what they sent is kept no longer; the bytes are."""
    Holding.objects.filter(holder=holder).delete()


def drop(digests: Collection[str]) -> None:
    """Remove what no row of other apps names and nobody holds, from the disk once that is durable.

    That no row names them is the caller's to know.
    """
    held = Holding.objects.filter(blob__in=digests).exclude(holder=OURSELVES)
    unheld = Blob.objects.filter(pk__in=digests).exclude(pk__in=held.values("blob"))
    gone = list(unheld.values_list("pk", flat=True))
    Holding.objects.filter(blob__in=gone).delete()
    Blob.objects.filter(pk__in=gone).delete()

    def unlink() -> None:
        for sha256 in gone:
            path_of(sha256).unlink(missing_ok=True)

    transaction.on_commit(unlink)


def sweep(*, now: datetime) -> int:
    """Removes parts whose upload died a day ago; returns how many."""
    removed = 0
    for part in parts_folder().glob(f"{PART_PREFIX}*"):
        with suppress(FileNotFoundError):  # finished, or swept by another process, just now
            if part.stat().st_mtime < (now - ABANDONED_AFTER).timestamp():
                part.unlink()
                removed += 1
    return removed


def _chunks(source: Path | bytes | BinaryIO) -> Iterator[bytes]:
    match source:
        case bytes():
            yield source
        case Path():
            with source.open("rb") as file:
                yield from iter(lambda: file.read(CHUNK_BYTES), b"")
        case _:
            yield from iter(lambda: source.read(CHUNK_BYTES), b"")

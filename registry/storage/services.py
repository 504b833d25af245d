# SPDX-License-Identifier: Apache-2.0
"""Stores, opens and sweeps blobs. Who may read one is for the apps that know what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from .errors import BlobLost
from .files import PART_PREFIX, Part, parts_folder, path_of
from .models import Blob, Holding
from .queries import holds, size_of

__all__ = ["Part", "holds", "open_blob", "path_of", "record", "size_of", "store", "sweep"]

CHUNK_BYTES = 1024 * 1024
# A part this old has no upload behind it any more: the longest upload at 1 MB/s is shorter.
ABANDONED_AFTER = timedelta(days=1)


def store(source: Path | bytes | BinaryIO, *, holder: str) -> Blob:
    """Stores bytes of our own (a policy, a data set, model.sig) for the holder."""
    with Part() as part:
        for chunk in _chunks(source):
            part.write(chunk)
        part.keep()
        return record(part.sha256, part.size_bytes, holder=holder)


def record(sha256: str, size_bytes: int, *, holder: str) -> Blob:
    """The row of a blob that is durably on the disk, and the holder's claim to it, together."""
    with transaction.atomic():
        blob, _ = Blob.objects.get_or_create(pk=sha256, defaults={"size_bytes": size_bytes})
        Holding.objects.get_or_create(blob=blob, holder=holder)
    return blob


def open_blob(sha256: str) -> BinaryIO:
    """The blob's bytes, to be closed by the caller; raises BlobLost."""
    try:
        return path_of(sha256).open("rb")
    except FileNotFoundError as error:
        raise BlobLost(f"expected the blob sha256:{sha256} on the disk") from error


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

# SPDX-License-Identifier: Apache-2.0
"""Stores, opens and sweeps blobs. Who may read one is for the apps that know what it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.db import connection, transaction

from . import assembling, copies, locks, places, quotas
from .bucket import Unreachable
from .errors import BlobDamaged, BlobLost, StorageUnavailable
from .files import PART_PREFIX, Part
from .git import blob_oid, identify, oids
from .models import Blob, Holding
from .queries import held, holds, size_of, sizes
from .quotas import OURSELVES, staged
from .space import check_room

__all__ = [
    "OURSELVES",
    "Part",
    "admit",
    "admit_all",
    "admit_lengths",
    "blob_oid",
    "charge",
    "check_room",
    "drop",
    "forget_holder",
    "held",
    "hold",
    "hold_alone",
    "holds",
    "identify",
    "keep",
    "keep_all",
    "local",
    "oids",
    "open_blob",
    "record",
    "release",
    "size_of",
    "sizes",
    "staged",
    "store",
    "store_all",
    "sweep",
    "sweep_orphans",
]

CHUNK_BYTES = 1024 * 1024
# A part this old has no upload behind it any more: the longest upload at 1 MB/s is shorter.
ABANDONED_AFTER = timedelta(days=1)
BATCH = 5000
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


def store_all(contents: Sequence[bytes], *, holder: str) -> list[Blob]:
    """The same of several, together: as many queries as for one."""
    with ExitStack() as stack:
        parts = [stack.enter_context(Part()) for _ in contents]
        for part, content in zip(parts, contents, strict=True):
            part.write(content)
        keep_all(parts, holder=holder)
    stored = Blob.objects.in_bulk([part.sha256 for part in parts])
    return [stored[part.sha256] for part in parts]


def admit(holder: str, sha256: str, *, size_bytes: int) -> None:
    """Raises QuotaExceeded for what could not be kept: ask when it is announced, and again later.

    What decides is `keep`; this spares everybody the bytes.
    """
    admit_all(holder, {sha256: size_bytes})


def admit_all(holder: str, sizes: Mapping[str, int]) -> None:
    """The same of several that come together."""
    quotas.check(holder, sizes)


def admit_lengths(holder: str, lengths: Collection[int]) -> None:
    """The same of what is known by its length alone: nobody is refused who sends again."""
    quotas.check_lengths(holder, lengths)


def keep(part: Part, *, holder: str) -> None:
    """Makes a part a blob: nothing removes its file before there is its row.

    Raises QuotaExceeded. The bytes are settled, and copied, before the holder's other uploads have
    to wait. Where the second copy cannot be written, the first is enough (copies.py).
    """
    keep_all((part,), holder=holder)


def keep_all(parts: Sequence[Part], *, holder: str) -> None:
    """All of them, or none."""
    for part in parts:
        part.settle()
    sizes = {part.sha256: part.size_bytes for part in parts}
    copied = [part.sha256 for part in parts if copies.write(part)]
    with transaction.atomic():
        locks.coming(sizes)
        quotas.lock(holder, sizes)
        for part in parts:
            part.keep()
        _record(sizes, holder)
        for sha256 in copied:
            copies.note(sha256)


def release(holder: str, digests: Collection[str]) -> None:
    """These are the holder's no longer; the bytes stay until they are dropped.

    In the caller's transaction; if it drops them, too, then after `hold_alone`.
    """
    quotas.lock(holder, {})
    quotas.release(holder, digests)


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
        locks.coming(sizes)
        quotas.lock(holder, sizes)
        for sha256 in sizes:
            if not places.primary().stamp(sha256):
                raise BlobLost(f"expected the blob sha256:{sha256} on the disk; send it again")
        _record(sizes, holder)


def _record(sizes: Mapping[str, int], holder: str) -> None:
    blobs = [Blob(sha256=sha256, size_bytes=sizes[sha256]) for sha256 in sorted(sizes)]
    Blob.objects.bulk_create(blobs, ignore_conflicts=True)
    damaged = Blob.objects.filter(pk__in=sizes, damaged_at__isnull=False)
    damaged.update(damaged_at=None)  # what was sent again is whole again
    quotas.claim(holder, sizes)


def hold(digests: Collection[str]) -> frozenset[str]:
    """Those of these that are here, and stay until the caller's transaction has named them."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [sorted(digests)])
        return frozenset(sha256 for (sha256,) in cursor.fetchall())


def hold_alone(digests: Collection[str]) -> frozenset[str]:
    """Those of these that are here, and nobody else's to send, name or remove meanwhile.

    Until the caller's transaction ends. It comes before anybody's holdings change in there: who
    sends has a blob's folder before the holder's usage, and the other way round both would wait.
    """
    locks.going(digests)
    rows = Blob.objects.select_for_update().filter(pk__in=digests).order_by("pk")
    return frozenset(rows.values_list("pk", flat=True))


def open_blob(sha256: str) -> BinaryIO:
    """The blob's bytes, to be closed by the caller; raises BlobLost, or BlobDamaged."""
    with _there(sha256):
        return places.primary().open(sha256)


@contextmanager
def local(sha256: str) -> Iterator[Path]:
    """A file of this machine with the blob's bytes, not to be changed; raises as `open_blob`."""
    with ExitStack() as stack:
        with _there(sha256):
            path = stack.enter_context(places.primary().local(sha256))
        yield path


@contextmanager
def _there(sha256: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if places.primary().is_quarantined(sha256):
            raise BlobDamaged(
                f"expected the bytes of sha256:{sha256}, found others in their place, which are "
                "kept from everybody; send the file again, or try later"
            ) from error
        raise BlobLost(f"expected the blob sha256:{sha256} on the disk") from error
    except Unreachable as error:
        raise StorageUnavailable(f"{error}; try again later") from error


def forget_holder(holder: str) -> None:
    """That somebody sent what they sent is kept no longer; the bytes are."""
    assembling.forget(holder)
    for name in (holder, staged(holder)):
        Holding.objects.filter(holder=name).delete()
        quotas.forget(name)


def drop(digests: Collection[str], *, needed: Needed) -> None:
    """Remove what no row of other apps needs and nobody holds, from the disk once that is durable.

    Whoever names a blob holds its row, and whoever sends one its folder: asked is after both. Where
    holdings are released in the same transaction, `hold_alone` comes before.
    """
    there = hold_alone(digests)
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
    removed, second = assembling.sweep(before=now - ABANDONED_AFTER), places.second()
    folders = {places.primary().parts, *(() if second is None else (second.parts,))}
    for part in (part for folder in folders for part in folder.glob(f"{PART_PREFIX}*")):
        if _is_old(part, now):
            part.unlink(missing_ok=True)
            removed += 1
    return removed


def sweep_orphans(*, now: datetime) -> int:
    """Removes files of a day ago that no row names, which crashes leave; returns how many.

    None where there are no rows at all: it is the wrong database, or one that was not restored yet.
    """
    second, since = places.second(), now - ABANDONED_AFTER
    old = sorted(
        {*places.primary().older_than(since), *(second.older_than(since) if second else ())}
    )
    if not old or not Blob.objects.exists():
        return 0
    orphans = [one for some in _batches(old) for one in sorted(set(some) - sizes(some).keys())]
    return sum(map(_remove, orphans))


def _is_old(path: Path, now: datetime) -> bool:
    with suppress(FileNotFoundError):  # finished, or swept by another process, just now
        return path.stat().st_mtime < (now - ABANDONED_AFTER).timestamp()
    return False


def _remove(sha256: str) -> bool:
    """Unlink a file unless it has a row by now; whether it did."""
    with transaction.atomic():
        locks.going([sha256])
        if Blob.objects.filter(pk=sha256).exists():
            return False
        places.primary().remove(sha256)
        copies.remove(sha256)
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

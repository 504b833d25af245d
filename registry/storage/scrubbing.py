# SPDX-License-Identifier: Apache-2.0
"""Reads every blob again: bytes rot, and whoever finds out first should be us.

In the order of the digests, on from where the last call stopped, however it ended. For each blob:

1. It is hashed. What is missing, cannot be read, or has another digest is damaged:
2. put into quarantine, from where nothing is served, and said in its row and in the audit.
3. A sound second copy is put in its place. Without one it stays damaged until somebody sends it
   again; the next pass tries again.
4. A second copy that is missing or damaged is written anew from the first.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from registry.audit import services as audit
from registry.locks import alone

from . import copies, locks, places
from .bucket import Unreachable
from .errors import DigestMismatch, ScrubRunning, TruncatedUpload
from .files import Part
from .models import Blob, Scrub
from .places import Place

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024
SCRUB_LOCK = 0x6173736179_09  # of a session: it ends with the process, however that ends
SYSTEM = "system"
DAMAGE = frozenset({errno.EIO, errno.EUCLEAN, errno.EBADMSG})  # what disks and file systems say
SOON = timedelta(days=1)  # all that is there, whatever the store's clock says


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Reads no faster than so many bytes a second; zero is as fast as can be."""

    rate_bytes: int = 0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def chunks(self, place: Place, sha256: str) -> Iterator[bytes]:
        """The blob's bytes."""
        began, read_bytes = self.clock(), 0
        with place.open(sha256) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
                read_bytes += len(chunk)
                if self.rate_bytes:
                    self.sleep(max(0.0, began + read_bytes / self.rate_bytes - self.clock()))


AT_ONCE = Pace()


def scrub(*, pace: Pace = AT_ONCE, most_bytes: int | None = None) -> Scrub:
    """Go on with the pass that did not end, or begin one; stops after so many bytes.

    Raises ScrubRunning if another process is at it, and OSError where nothing can be said of a
    blob: a bucket or a disk that is away, a process without files to open. The next call goes on
    from there.
    """
    with alone(SCRUB_LOCK) as is_alone:
        if not is_alone:
            raise ScrubRunning("expected no other scrub at this moment, found one; wait for it")
        found, _ = Scrub.objects.get_or_create(ended_at=None, defaults={"began_at": timezone.now()})
        until = None if most_bytes is None else found.size_bytes + most_bytes
        while (blob := _next(found)) is not None:
            if until is not None and found.size_bytes >= until:
                return found
            _examine(blob, found, pace)
            found.position, found.blobs = blob.sha256, found.blobs + 1
            found.size_bytes += blob.size_bytes
            found.save()
        _end(found, at=timezone.now())
    return found


def last_ended() -> datetime | None:
    """When the last whole pass ended."""
    ended = Scrub.objects.filter(ended_at__isnull=False).order_by("-ended_at")
    return ended.values_list("ended_at", flat=True).first()


def is_underway() -> bool:
    """Whether a pass began and did not end."""
    return Scrub.objects.filter(ended_at=None).exists()


def damaged() -> list[str]:
    """The digests of all that is damaged and not repaired."""
    rows = Blob.objects.filter(damaged_at__isnull=False).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _next(found: Scrub) -> Blob | None:
    return Blob.objects.filter(pk__gt=found.position).order_by("pk").first()


def _examine(blob: Blob, found: Scrub, pace: Pace) -> None:
    stamp = places.primary().stamp(blob.sha256)
    if not _is_sound(places.primary(), blob.sha256, pace):  # 1
        if not _mark(blob.sha256, stamp):
            return
        found.damaged += 1
        if not _repair(blob):
            logger.warning("the blob sha256:%s is damaged, and no copy is sound", blob.sha256)
            return
        found.repaired += 1
    elif blob.damaged_at is not None:  # whoever runs the registry put the file back
        _note_repair(blob.sha256)
        found.repaired += 1
    found.copied += _renew_copy(blob, pace)


def _is_sound(place: Place, sha256: str, pace: Pace) -> bool:
    digest = hashlib.sha256()
    try:
        for chunk in pace.chunks(place, sha256):
            digest.update(chunk)
    except OSError as error:
        if error.errno not in DAMAGE and not isinstance(error, FileNotFoundError):
            raise  # nothing is known of the blob: of us, or of the bucket
        logger.warning("the blob sha256:%s cannot be read: %s", sha256, error)
        return False
    return digest.hexdigest() == sha256


def _mark(sha256: str, stamp: str) -> bool:
    """Step 2; False if it was removed, or sent again, while it was read."""
    place = places.primary()
    if not stamp:
        _check_anything(place)
    with transaction.atomic():
        locks.going([sha256])
        row = Blob.objects.filter(pk=sha256).first()
        if row is None or place.stamp(sha256) != stamp:
            return False
        if stamp:
            place.quarantine(sha256)
        if row.damaged_at is None:
            Blob.objects.filter(pk=sha256).update(damaged_at=timezone.now())
            audit.record(SYSTEM, "blob.damage", sha256, {"is_missing": not stamp})
    return True


def _check_anything(place: Place) -> None:
    """Where not one blob is, it is not the blobs that are missing but their disk or bucket."""
    if next(place.older_than(timezone.now() + SOON), None) is None:
        raise Unreachable("expected blobs where they are kept, found none at all: is it mounted?")


def _repair(blob: Blob) -> bool:
    """Step 3."""
    second = places.second()
    if second is None:
        return False
    try:
        with Part() as part:
            for chunk in AT_ONCE.chunks(second, blob.sha256):
                part.write(chunk)
            part.check(sha256=blob.sha256, size_bytes=blob.size_bytes)
            part.settle()
            with transaction.atomic():
                locks.coming([blob.sha256])
                if not _note_repair(blob.sha256):
                    return False
                part.keep()
    except (OSError, DigestMismatch, TruncatedUpload) as error:
        logger.warning("the second copy of sha256:%s repairs nothing: %s", blob.sha256, error)
        return False
    return True


def _note_repair(sha256: str) -> bool:
    """False for what was removed meanwhile."""
    with transaction.atomic():
        if not Blob.objects.filter(pk=sha256).update(damaged_at=None):
            return False
        audit.record(SYSTEM, "blob.repair", sha256, {})
    return True


def _renew_copy(blob: Blob, pace: Pace) -> bool:
    """Step 4; whether it had to be written."""
    second = places.second()
    if second is None:
        return False
    try:
        is_there = bool(second.stamp(blob.sha256))
        if is_there and _is_sound(second, blob.sha256, pace):
            copies.note(blob.sha256)
            return False
        if is_there:
            second.quarantine(blob.sha256)
        Blob.objects.filter(pk=blob.sha256).update(is_copied=False)
        return copies.copy(second, blob.sha256, blob.size_bytes)
    except OSError as error:
        logger.warning("the second copy of sha256:%s is not written: %s", blob.sha256, error)
        return False


def _end(found: Scrub, *, at: datetime) -> None:
    found.ended_at = at
    with transaction.atomic():
        found.save()
        audit.record(SYSTEM, "storage.scrub", str(found.pk), found.outcome())

# SPDX-License-Identifier: Apache-2.0
"""A blob that comes in numbered parts, in any order, each as often as it takes, until it is whole.

A part that came in full is a file, and then a row that names it; of one that did not, there is
nothing. The rows say what is here, decided under the lock of the holder's usage, so that of two
that come at once one is kept, and they count. Joined parts are hashed: until the blob is kept,
nobody sees anything of it. A bucket's parts wait here as well: nothing goes there that has another
digest.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from . import quotas
from .errors import PartMissing, UploadUnknown
from .files import Part, parts_folder
from .folder import check_digest, make_folder
from .models import WaitingPart
from .queries import holds
from .space import check_room
from .upload import room

# What a broken connection costs at most, of a file of less than 8 GiB; more parts than that make
# a client's list of addresses long.
PART_BYTES = 32 * 1024 * 1024
MAX_PARTS = 256
FOLDER = ".assembled"  # unfinished, as backups see it
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A blob as its sender announced it."""

    holder: str
    sha256: str
    size_bytes: int

    @property
    def part_bytes(self) -> int:
        """How long each part is, but for the last."""
        least = -(-self.size_bytes // MAX_PARTS)
        return max(PART_BYTES, -(-least // CHUNK_BYTES) * CHUNK_BYTES)

    @property
    def count(self) -> int:
        """Of how many parts it is."""
        return -(-self.size_bytes // self.part_bytes)

    def length(self, number: int) -> int:
        """Of the part with this number, from 1 on."""
        return min(self.part_bytes, self.size_bytes - (number - 1) * self.part_bytes)

    @property
    def parts(self) -> QuerySet[WaitingPart]:
        """Those that have come."""
        return WaitingPart.objects.filter(holder=self.holder, whole=check_digest(self.sha256))


def put(assembly: Assembly, number: int, part: Part) -> None:
    """The part is there from now on; one of this number that came before is not.

    In the caller's transaction. Of a blob that the holder has there is nothing to keep: who sends
    it a second time goes on undisturbed. Raises QuotaExceeded.
    """
    quotas.lock(assembly.holder, {assembly.sha256: assembly.size_bytes})
    if holds(assembly.holder, assembly.sha256):
        return
    before, now = assembly.parts.filter(number=number).first(), timezone.now()
    if before is not None and before.sha256 == part.sha256 and _path(before).is_file():
        WaitingPart.objects.filter(pk=before.pk).update(came_at=now)
        return  # it may be read just now, to be joined
    kept = WaitingPart(
        pk=None if before is None else before.pk,
        holder=assembly.holder,
        whole=assembly.sha256,
        whole_bytes=assembly.size_bytes,
        number=number,
        sha256=part.sha256,
        size_bytes=part.size_bytes,
        file=secrets.token_hex(16),
        came_at=now,
    )
    make_folder(_folder())
    part.set_aside(_path(kept))
    kept.save()
    if before is not None:
        _unlink_later([before])


def came(holder: str, digests: Collection[str]) -> Mapping[tuple[str, int], Mapping[int, str]]:
    """Of blobs, by digest and size, the parts that have come from the holder: number to digest."""
    found: dict[tuple[str, int], dict[int, str]] = {}
    for part in WaitingPart.objects.filter(holder=holder, whole__in=digests).order_by("number"):
        found.setdefault((part.whole, part.whole_bytes), {})[part.number] = part.sha256
    return found


def paths(assembly: Assembly, digests: Sequence[str]) -> list[Path]:
    """The files of the parts with these digests, in their order; raises UploadUnknown, PartMissing.

    What is missing is said; the others wait as before.
    """
    wanted = [check_digest(sha256) for sha256 in digests]
    came = {part.number: part for part in assembly.parts}
    if not came:
        raise UploadUnknown(
            f"expected parts of sha256:{assembly.sha256}, found none: none came, they were joined, "
            "or they waited for more than a day"
        )
    if len(wanted) != assembly.count:
        raise PartMissing(f"expected {assembly.count} parts, found {len(wanted)}")
    missing = [
        (number, sha256)
        for number, sha256 in enumerate(wanted, 1)
        if number not in came or came[number].sha256 != sha256
    ]
    if missing:
        number, sha256 = missing[0]
        raise PartMissing(
            f"expected part {number} to have come with the ETag {sha256}, found it missing or "
            f"another, and {len(missing) - 1} more: send them again"
        )
    return [_path(came[number]) for number in range(1, assembly.count + 1)]


def join(assembly: Assembly, parts: Iterable[Path], *, keep: Callable[[Part], None]) -> None:
    """Make it one blob, of these files, and give it to `keep`; asks no database itself.

    Raises PartMissing, NoSpace, DigestMismatch for other bytes than were announced, and as `keep`.
    """
    check_room(assembly.size_bytes)
    with room(), Part() as whole:
        for number, path in enumerate(parts, 1):
            _append(whole, path, number)
        whole.check(sha256=assembly.sha256, size_bytes=assembly.size_bytes)
        keep(whole)


def drop(parts: QuerySet[WaitingPart]) -> int:
    """None of these waits any more; how many there were. In the caller's transaction."""
    gone = list(parts.select_for_update())
    WaitingPart.objects.filter(pk__in=[part.pk for part in gone]).delete()
    _unlink_later(gone)
    return len(gone)


def forget(holder: str) -> None:
    """Nothing of what the holder was sending waits any more."""
    with transaction.atomic():
        drop(WaitingPart.objects.filter(holder=holder))


def sweep(*, before: datetime) -> int:
    """Removes what nobody has added to since, and files that no row names; how many it was."""
    count = 0
    blobs = WaitingPart.objects.values("holder", "whole").annotate(last=Max("came_at"))
    for blob in blobs.filter(last__lt=before):
        with transaction.atomic():
            rows = WaitingPart.objects.filter(holder=blob["holder"], whole=blob["whole"])
            count += drop(rows.filter(came_at__lt=before))
    named = frozenset(WaitingPart.objects.values_list("file", flat=True))
    for path in _folder().glob("*"):
        with suppress(FileNotFoundError):
            if path.name not in named and path.stat().st_mtime < before.timestamp():
                path.unlink()
                count += 1
    return count


def _folder() -> Path:
    return parts_folder() / FOLDER


def _path(part: WaitingPart) -> Path:
    return _folder() / part.file


def _unlink_later(parts: Sequence[WaitingPart]) -> None:
    """Once no row names them; a crash in between leaves them to the sweep."""

    def unlink(found: Sequence[Path]) -> None:
        for path in found:
            path.unlink(missing_ok=True)

    transaction.on_commit(partial(unlink, [_path(part) for part in parts]), robust=True)


def _append(whole: Part, path: Path, number: int) -> None:
    try:
        source = path.open("rb")
    except FileNotFoundError as error:  # another came in its place, just now, or a restored backup
        raise PartMissing(
            f"expected the bytes of part {number}, found them replaced: send the part again"
        ) from error
    with source:
        while chunk := source.read(CHUNK_BYTES):
            whole.write(chunk)

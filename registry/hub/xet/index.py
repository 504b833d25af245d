# SPDX-License-Identifier: Apache-2.0
"""Which xorbs somebody sent, and in which blob each of their chunks is now.

A xorb's own bytes are a blob that is *staged* for its sender. Once files have all of its chunks,
they are released: from then on extents say where each is. The index outlives its bytes, because
clients remember for weeks what they sent, and send shards that name it without sending it again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from registry.catalog.services import erasing as catalog
from registry.storage import services as storage
from registry.storage.files import Part

from ..models import Extent, Xorb
from . import chunks, hashes
from .chunks import Chunks
from .hashes import Node

ROWS_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Chunks `first` to `end` are in this blob from `offset` on."""

    first: int
    end: int
    sha256: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A xorb that its holder sent."""

    pk: int
    chunks: Chunks
    is_staged: bool
    places: tuple[Placed, ...]
    """By their first chunk, and by their last one too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gained:
    """Chunks of a xorb that a file has now."""

    xorb: int
    placed: Placed


def add(holder: str, name: str, content: Collection[Node], part: Part, *, now: datetime) -> bool:
    """Keep a xorb that is what it says; whether its holder had not sent it before.

    In the caller's transaction. What is sent again is staged again, whatever became of it.
    """
    storage.keep(part, holder=storage.staged(holder))
    sent = {"staged": part.sha256, "is_released": False, "sent_at": now}
    _, is_new = Xorb.objects.update_or_create(
        holder=holder,
        name=name,
        defaults=sent,
        create_defaults={**sent, "chunks": chunks.packed(content)},
    )
    return is_new


def known(holder: str, xorb: bytes) -> Known | None:
    """What this holder sent under this hash."""
    row = Xorb.objects.filter(holder=holder, name=hashes.written(xorb)).first()
    if row is None:
        return None
    index = Chunks(bytes(row.chunks))
    if row.staged and not row.is_released:
        own = Placed(first=0, end=len(index), sha256=row.staged, offset=0)
        return Known(pk=row.pk, chunks=index, is_staged=True, places=(own,))
    return Known(pk=row.pk, chunks=index, is_staged=False, places=tuple(map(_placed, _cover(row))))


def gain(holder: str, gained: Collection[Gained]) -> None:
    """Files of the holder have these chunks; what is nowhere else any more is released.

    In the transaction that keeps the files.
    """
    rows = (
        Extent(
            xorb_id=each.xorb,
            first=each.placed.first,
            end=each.placed.end,
            sha256=each.placed.sha256,
            offset=each.placed.offset,
        )
        for each in gained
    )
    Extent.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    touched = Xorb.objects.filter(pk__in={each.xorb for each in gained}, is_released=False)
    release(holder, [row for row in touched.select_for_update().order_by("pk") if _is_had(row)])


def release(holder: str, rows: Collection[Xorb]) -> None:
    """From now on the extents alone say where these are."""
    Xorb.objects.filter(pk__in=[row.pk for row in rows]).update(is_released=True)
    staged = {row.staged for row in rows}
    still = Xorb.objects.filter(holder=holder, staged__in=staged, is_released=False)
    storage.release(
        storage.staged(holder), staged - frozenset(still.values_list("staged", flat=True))
    )


def drop_released(holder: str | None = None) -> int:
    """Remove the bytes that were released, where nobody else has them; returns of how many."""
    rows = Xorb.objects.filter(is_released=True).exclude(staged="")
    count = 0
    for row in rows if holder is None else rows.filter(holder=holder):
        with transaction.atomic():
            storage.drop({row.staged}, needed=catalog.needed)
            same = Xorb.objects.filter(pk=row.pk, staged=row.staged, is_released=True)
            count += same.update(staged="")
    return count


def release_forgotten(*, before: datetime) -> int:
    """Release what was sent before, and no shard came for; returns how many."""
    rows = Xorb.objects.filter(sent_at__lt=before, is_released=False).exclude(staged="")
    count = 0
    for row in rows.iterator():
        with transaction.atomic():
            storage.release(storage.staged(row.holder), ())
            again = Xorb.objects.select_for_update().filter(pk=row.pk, sent_at=row.sent_at)
            found = list(again.filter(is_released=False))
            release(row.holder, found)
            count += len(found)
    return count


def forget_empty() -> int:
    """Forget xorbs of which nothing is left; returns how many."""
    extents = Extent.objects.filter(xorb=OuterRef("pk"))
    count, _ = Xorb.objects.filter(~Exists(extents), staged="").delete()
    return count


def waiting(holder: str) -> frozenset[str]:
    """The digests of the bytes of this holder's that wait for shards."""
    rows = Xorb.objects.filter(holder=holder).exclude(staged="")
    return frozenset(rows.values_list("staged", flat=True))


def forget(holder: str) -> None:
    """What somebody who leaves has sent.

    In the caller's transaction, which before this has storage forget the holder.
    """
    Xorb.objects.filter(holder=holder).delete()


def _is_had(row: Xorb) -> bool:
    """Whether extents cover all of its chunks; those that add nothing to others are removed."""
    cover = _cover(row)
    Extent.objects.filter(xorb=row).exclude(pk__in=[each.pk for each in cover]).delete()
    reached = 0
    for each in cover:
        if each.first > reached:
            return False
        reached = each.end
    return reached == len(Chunks(bytes(row.chunks)))


def _cover(row: Xorb) -> list[Extent]:
    """Its extents in their order, without those whose chunks the ones before have."""
    found: list[Extent] = []
    for each in Extent.objects.filter(xorb=row).order_by("first", "-end", "pk"):
        if not found or each.end > found[-1].end:
            found.append(each)
    return found


def _placed(extent: Extent) -> Placed:
    return Placed(first=extent.first, end=extent.end, sha256=extent.sha256, offset=extent.offset)

# SPDX-License-Identifier: Apache-2.0
"""Which blobs are here, how large they are, and who has sent them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.models import Sum

from .models import Blob, Holding, WaitingPart


def size_of(sha256: str) -> int | None:
    """The size of the blob in bytes; None when we do not hold it."""
    return Blob.objects.filter(pk=sha256).values_list("size_bytes", flat=True).first()


def sizes(digests: Collection[str]) -> dict[str, int]:
    """The sizes in bytes of those of these blobs that we hold."""
    return dict(Blob.objects.filter(pk__in=digests).values_list("pk", "size_bytes"))


def everything() -> Iterator[tuple[str, int]]:
    """The digest and size in bytes of every blob that we hold."""
    return Blob.objects.values_list("pk", "size_bytes").iterator()


def holds(actor: str, sha256: str) -> bool:
    """That this actor has sent these bytes to us."""
    return Holding.objects.filter(blob=sha256, holder=actor).exists()


def held(actors: Collection[str], digests: Collection[str]) -> frozenset[str]:
    """Those of these blobs that one of the actors has sent to us."""
    rows = Holding.objects.filter(blob__in=digests, holder__in=actors)
    return frozenset(rows.values_list("blob_id", flat=True))


def held_lengths(holder: str, lengths: Collection[int]) -> frozenset[int]:
    """Those of these lengths that a blob of the holder has."""
    rows = Holding.objects.filter(holder=holder, blob__size_bytes__in=lengths)
    return frozenset(rows.values_list("blob__size_bytes", flat=True))


def waiting_bytes(
    holder: str, *, but: Collection[str] = (), but_lengths: Collection[int] = ()
) -> int:
    """What the holder's parts take, without those of blobs that are named, or so long."""
    rows = WaitingPart.objects.filter(holder=holder)
    rows = rows.exclude(whole__in=but).exclude(whole_bytes__in=but_lengths)
    return rows.aggregate(sum=Sum("size_bytes"))["sum"] or 0

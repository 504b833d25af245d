# SPDX-License-Identifier: Apache-2.0
"""How much a holder may store: the bytes of the different blobs that they hold.

Asked when an upload is announced and while it runs (`check`), which is for early answers; decided
when the blob gets its row (`claim`), under the lock of the holder's own row, so that of any number
at once none slips through. The registry's own writes are not counted.

What is staged for a holder, on its way to become a blob of theirs, is under a name of its own: it
needs room beside what they hold, and is nothing that they hold. So do parts that wait for the rest
of their blob, but beside that blob itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from .errors import QuotaExceeded
from .models import Usage
from .queries import held, held_lengths, waiting_bytes

OURSELVES = "system"  # who holds what the registry writes itself, such as model signatures
STAGED = "staged:"
CLAIM = """
    WITH gained AS (
        INSERT INTO storage_holding (blob_id, holder, created_at)
        SELECT blob, %s, now() FROM unnest(%s::text[]) AS blob ON CONFLICT DO NOTHING
        RETURNING blob_id
    )
    UPDATE storage_usage SET used_bytes = used_bytes + coalesce(
        (SELECT sum(size_bytes) FROM gained JOIN storage_blob ON sha256 = blob_id), 0)
    WHERE holder = %s
"""
RELEASE = """
    WITH lost AS (
        DELETE FROM storage_holding WHERE holder = %s AND blob_id = ANY(%s) RETURNING blob_id
    )
    UPDATE storage_usage SET used_bytes = used_bytes - coalesce(
        (SELECT sum(size_bytes) FROM lost JOIN storage_blob ON sha256 = blob_id), 0)
    WHERE holder = %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a holder has stored, and may."""

    used_bytes: int
    allowed_bytes: int


def staged(holder: str) -> str:
    """Under which name is held what is on its way to become the holder's."""
    return f"{STAGED}{holder}"


def use_of(holder: str) -> Use:
    """As it is at this moment."""
    return _use(holder, _usages(holder), waiting_bytes(_owner(holder)))


def check(holder: str, sizes: Mapping[str, int]) -> None:
    """Raises QuotaExceeded for blobs that the holder could not keep as things are now."""
    if holder != OURSELVES:
        waiting = waiting_bytes(_owner(holder), but=sizes)
        _compare(holder, _use(holder, _usages(holder), waiting), _new_bytes(holder, sizes))


def check_lengths(holder: str, lengths: Collection[int]) -> None:
    """The same of what is known by its length alone; what the holder has of one costs nothing."""
    waiting = waiting_bytes(_owner(holder), but_lengths=lengths)
    use = _use(holder, _usages(holder), waiting)
    if use.used_bytes + sum(lengths) > use.allowed_bytes:
        had = held_lengths(holder, lengths)
        _compare(holder, use, sum(length for length in lengths if length not in had))


def lock(holder: str, sizes: Mapping[str, int]) -> None:
    """Let nobody else count the holder's bytes until the transaction ends; raises QuotaExceeded."""
    if holder == OURSELVES:
        return
    Usage.objects.bulk_create(
        [Usage(holder=name) for name in _names(holder)], ignore_conflicts=True
    )
    usages = {name: Usage.objects.select_for_update().get(pk=name) for name in _names(holder)}
    waiting = waiting_bytes(_owner(holder), but=sizes)
    _compare(holder, _use(holder, usages, waiting), _new_bytes(holder, sizes))


def claim(holder: str, digests: Collection[str]) -> None:
    """Make these blobs, which have rows, the holder's too, and count them; after `lock`."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [holder, sorted(digests), holder])


def release(holder: str, digests: Collection[str]) -> None:
    """They are the holder's no longer, and not counted; after `lock`."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, [holder, sorted(digests), holder])


def allow(holder: str, allowed_bytes: int | None) -> None:
    """From now on the holder may store so much; None is as much as anybody."""
    Usage.objects.update_or_create(holder=holder, defaults={"allowed_bytes": allowed_bytes})


def forget(holder: str) -> None:
    """Nothing says any more that somebody of this name stored anything."""
    Usage.objects.filter(pk=holder).delete()


def _owner(holder: str) -> str:
    """Whose allowance it is."""
    return holder.removeprefix(STAGED)


def _usages(holder: str) -> Mapping[str, Usage]:
    return Usage.objects.in_bulk(_names(holder))


def _names(holder: str) -> tuple[str, ...]:
    """Of the rows that count for it. Whose allowance it is comes first, and is locked first."""
    owner = _owner(holder)
    return (owner,) if owner == holder else (owner, holder)


def _new_bytes(holder: str, sizes: Mapping[str, int]) -> int:
    has = held({holder}, sizes)
    return sum(size for sha256, size in sizes.items() if sha256 not in has)


def _use(holder: str, usages: Mapping[str, Usage], waiting: int) -> Use:
    owner, *_ = names = _names(holder)
    own = usages[owner].allowed_bytes if owner in usages else None
    return Use(
        used_bytes=waiting + sum(usages[name].used_bytes for name in names if name in usages),
        allowed_bytes=settings.STORAGE_QUOTA if own is None else own,
    )


def _compare(holder: str, use: Use, asked_bytes: int) -> None:
    if asked_bytes and use.used_bytes + asked_bytes > use.allowed_bytes:
        raise QuotaExceeded(
            f"expected at most {use.allowed_bytes} bytes stored by "
            f"{_owner(holder)}, found {use.used_bytes} used and {asked_bytes} more "
            "asked for; whoever runs this registry can allow more"
        )

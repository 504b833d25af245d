# SPDX-License-Identifier: Apache-2.0
"""The pieces of a blob: hashed once, when they are first asked for, and kept in its row."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from registry import wakeups
from registry.storage import services as storage
from registry.storage.errors import BlobDamaged, BlobLost

from .cutting import Cut, cut
from .errors import NotCut
from .models import Pieces

TASK = "swarms.make"
AT_ONCE_BYTES = 32 * 1024 * 1024  # a tenth of a second; for larger ones callers come again
AGAIN_AFTER = timedelta(minutes=10)  # longer than a task may run: the nudge before it was lost
LATER_SECONDS = 10


def pieces(sha256: str, size_bytes: int) -> Cut:
    """Those that are kept, or small enough to be made now; raises NotCut and has them made."""
    kept = Pieces.objects.filter(pk=sha256, made_at__isnull=False).first()
    if kept is not None:
        return _cut(kept, size_bytes)
    if size_bytes > AT_ONCE_BYTES:
        _ask(sha256)
        raise NotCut(
            f"expected the pieces of {size_bytes} bytes, which are being hashed; ask again",
            headers={"Retry-After": str(LATER_SECONDS)},
        )
    return make(sha256)


def make(sha256: str) -> Cut:
    """Hash a blob's pieces and keep them; raises BlobLost, or BlobDamaged for other bytes."""
    size_bytes = storage.size_of(sha256)
    if size_bytes is None:
        raise BlobLost(f"expected the blob sha256:{sha256}")
    kept = Pieces.objects.filter(pk=sha256, made_at__isnull=False).first()
    if kept is not None:
        return _cut(kept, size_bytes)
    with storage.open_blob(sha256) as file:
        found = cut(file, size_bytes)
    if found.sha256 != sha256:  # pieces of bytes that rotted would be handed out for ever
        raise BlobDamaged(f"expected sha256:{sha256}, found the bytes of sha256:{found.sha256}")
    _keep(found)
    return found


def _keep(found: Cut) -> None:
    with transaction.atomic():
        if not storage.hold([found.sha256]):
            raise BlobLost(f"expected the blob sha256:{found.sha256}; it was removed meanwhile")
        now = timezone.now()
        Pieces.objects.update_or_create(
            blob_id=found.sha256,
            create_defaults={"asked_at": now, "made_at": now, **_columns(found)},
            defaults={"made_at": now, **_columns(found)},
        )


def _ask(sha256: str) -> None:
    """Nudge a worker, unless one was nudged a moment ago."""
    now = timezone.now()
    with transaction.atomic():
        if not storage.hold([sha256]):
            raise BlobLost(f"expected the blob sha256:{sha256}")
        row, is_new = Pieces.objects.get_or_create(blob_id=sha256, defaults={"asked_at": now})
        late = Pieces.objects.filter(pk=row.pk, made_at=None, asked_at__lt=now - AGAIN_AFTER)
        if is_new or late.update(asked_at=now):
            wakeups.nudge(TASK, sha256)


def _columns(of: Cut) -> dict[str, int | bytes]:
    return {
        "piece_bytes": of.piece_bytes,
        "sha256s": of.sha256s,
        "sha1s": of.sha1s,
        "layer": of.layer,
        "root": of.root,
    }


def _cut(row: Pieces, size_bytes: int) -> Cut:
    return Cut(
        sha256=str(row.pk),
        size_bytes=size_bytes,
        piece_bytes=row.piece_bytes,
        sha256s=bytes(row.sha256s),
        sha1s=bytes(row.sha1s),
        layer=bytes(row.layer),
        root=bytes(row.root),
    )

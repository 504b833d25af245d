# SPDX-License-Identifier: Apache-2.0
"""Which blobs are here, how large they are, and who has sent them."""

from __future__ import annotations

from .models import Blob, Holding


def size_of(sha256: str) -> int | None:
    """The size of the blob in bytes; None when we do not hold it."""
    return Blob.objects.filter(pk=sha256).values_list("size_bytes", flat=True).first()


def holds(actor: str, sha256: str) -> bool:
    """That this actor has sent these bytes to us."""
    return Holding.objects.filter(blob=sha256, holder=actor).exists()

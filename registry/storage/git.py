# SPDX-License-Identifier: Apache-2.0
"""What git would call a blob: computed once for each small one, and kept in its row.

Large files have no such name here: git-lfs names those by SHA-256, and git a pointer to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from . import places
from .models import Blob

# Larger ones are large files to every client (catalog/large.py), whatever their name.
MAX_BYTES = 1024 * 1024


def blob_oid(content: bytes) -> str:
    """The object id that git gives these bytes; it names them there, and proves nothing."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def identify(digests: Collection[str]) -> None:
    """Compute what is not known yet of these blobs, and keep it."""
    rows = Blob.objects.filter(pk__in=digests, git_oid="", size_bytes__lte=MAX_BYTES)
    for sha256 in rows.values_list("pk", flat=True):
        with places.primary().open(sha256) as content:
            oid = blob_oid(content.read())
        Blob.objects.filter(pk=sha256).update(git_oid=oid)


def oids(digests: Collection[str]) -> dict[str, str]:
    """What git calls those of these blobs that were identified."""
    rows = Blob.objects.filter(pk__in=digests).exclude(git_oid="")
    return dict(rows.values_list("pk", "git_oid"))

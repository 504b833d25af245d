# SPDX-License-Identifier: Apache-2.0
"""What git would call a blob: computed once for each small one, and kept in its row.

Large files have no such name here: git-lfs names those by SHA-256, and git a pointer to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from django.db import connection

from . import places
from .models import Blob

# Larger ones are large files to every client (catalog/large.py), whatever their name.
MAX_BYTES = 1024 * 1024
# Held in one order, or two who identify the same blobs would lock each other out.
KEEP = """
    WITH held AS (
        SELECT sha256 FROM storage_blob WHERE sha256 = ANY(%s) ORDER BY sha256 FOR NO KEY UPDATE
    )
    UPDATE storage_blob AS blob SET git_oid = given.oid
    FROM unnest(%s::text[], %s::text[]) AS given (sha256, oid) JOIN held USING (sha256)
    WHERE blob.sha256 = held.sha256
"""


def blob_oid(content: bytes) -> str:
    """The object id that git gives these bytes; it names them there, and proves nothing."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def identify(digests: Collection[str]) -> None:
    """Compute what is not known yet of these blobs, and keep it."""
    rows = Blob.objects.filter(pk__in=digests, git_oid="", size_bytes__lte=MAX_BYTES)
    found: dict[str, str] = {}
    for sha256 in rows.values_list("pk", flat=True):
        with places.primary().open(sha256) as content:
            found[sha256] = blob_oid(content.read())
    if found:
        with connection.cursor() as cursor:
            cursor.execute(KEEP, [list(found), list(found), list(found.values())])


def oids(digests: Collection[str]) -> dict[str, str]:
    """What git calls those of these blobs that were identified."""
    rows = Blob.objects.filter(pk__in=digests).exclude(git_oid="")
    return dict(rows.values_list("pk", "git_oid"))

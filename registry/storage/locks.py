# SPDX-License-Identifier: Apache-2.0
"""Locks of blobs while their files and rows come or go: shared while they come, alone to go.

A lock for each folder of digests, not for each digest: a data set has more files than PostgreSQL
has locks to give.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

FOLDER_LOCK = 0x61737362  # PostgreSQL's other space of locks, of two numbers: this, and the folder
SHARED = "SELECT pg_advisory_xact_lock_shared(%s, folder) FROM unnest(%s::int[]) AS folder"
EXCLUSIVE = "SELECT pg_advisory_xact_lock(%s, folder) FROM unnest(%s::int[]) AS folder"


def coming(digests: Collection[str]) -> None:
    """Until the caller's transaction ends nothing removes these."""
    _lock(SHARED, digests)


def going(digests: Collection[str]) -> None:
    """Until the caller's transaction ends nobody puts these here, or removes them."""
    _lock(EXCLUSIVE, digests)


def _lock(way: str, digests: Collection[str]) -> None:
    folders = sorted({int(sha256[:2], 16) for sha256 in digests})
    with connection.cursor() as cursor:
        cursor.execute(way, [FOLDER_LOCK, folders])

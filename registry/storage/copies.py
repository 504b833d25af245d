# SPDX-License-Identifier: Apache-2.0
"""The second copy of each blob (ASSAY_SECOND_COPY), on a disk that does not fail with the first.

The rule: an upload is acknowledged when the first copy is durable; the second is written in the
same request, before the answer. Where it cannot be, because its disk is full, gone or broken, the
upload is acknowledged all the same, the log says so, the row does not say `is_copied`, and
`catch_up` writes it later. Whoever demands two copies of all watches that number.
"""

from __future__ import annotations

import logging
from typing import BinaryIO

from . import places
from .errors import DigestMismatch, TruncatedUpload
from .files import Part
from .folder import Folder
from .models import Blob

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024


def write(part: Part) -> bool:
    """Whether the second copy has these bytes, which are about to be kept, from here on."""
    second = places.second()
    if second is None:
        return False
    try:
        with part.open() as source:
            _write(second, source, part.sha256, part.size_bytes)
    except OSError as error:
        logger.warning("the second copy of sha256:%s is not written: %s", part.sha256, error)
        return False
    return True


def note(sha256: str) -> None:
    """Say in the blob's row, in the transaction that keeps it, that there is a second copy."""
    second = places.second()
    if second is not None and second.stamp(sha256):
        Blob.objects.filter(pk=sha256).update(is_copied=True)


def remove(sha256: str) -> None:
    """What is away now is removed by the sweep, when it is back."""
    second = places.second()
    try:
        if second is not None:
            second.remove(sha256)
    except OSError as error:
        logger.warning("the second copy of sha256:%s is not removed: %s", sha256, error)


def catch_up() -> int:
    """Write the second copies that are missing; returns how many. Stops at the first OSError."""
    second, count = places.second(), 0
    if second is None:
        return 0
    rows = Blob.objects.filter(is_copied=False, damaged_at__isnull=True).order_by("pk")
    for blob in rows.iterator():
        try:
            count += copy(second, blob.sha256, blob.size_bytes)
        except OSError as error:
            logger.warning("second copies are missing: %s", error)
            break
    return count


def copy(second: Folder, sha256: str, size_bytes: int) -> bool:
    """The blob's bytes into the second copy too; False for what is not sound here, or gone."""
    try:
        with places.primary().open(sha256) as source:
            _write(second, source, sha256, size_bytes)
    except (FileNotFoundError, DigestMismatch, TruncatedUpload):
        if not second.root.is_dir():
            raise
        return False  # the scrub finds out what happened to it
    note(sha256)
    return True


def _write(second: Folder, source: BinaryIO, sha256: str, size_bytes: int) -> None:
    if not second.root.is_dir():
        raise FileNotFoundError(f"expected the folder {second.root}, which is not there")
    # Written whether or not it is there: the time of an upload must not say that somebody else has
    # sent the same before.
    with Part(second) as part:
        while chunk := source.read(CHUNK_BYTES):
            part.write(chunk)
        part.check(sha256=sha256, size_bytes=size_bytes)
        part.keep()

# SPDX-License-Identifier: Apache-2.0
"""Blobs on the disk: where they are, and how bytes become one so that no crash leaves half a blob.

The recipe (measured: without any one step a power cut loses acknowledged files): write to `.part-*`
while hashing, compare, sync the file, rename it to its digest, sync both folders. Only then may a
row say that the blob is here.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Self

from django.conf import settings

from assay.signing import durable

from .errors import DigestMismatch, InvalidDigest, TruncatedUpload

PART_PREFIX = ".part-"
_HEX = re.compile(r"[0-9a-f]{64}")


def blobs_folder() -> Path:
    """Where the blobs are; the tests move it."""
    return Path(settings.DATA_DIR) / "blobs"


def parts_folder() -> Path:
    """Where unfinished blobs are: on the same file system, so that a rename is all it takes."""
    return blobs_folder() / "parts"


def check_digest(sha256: str) -> str:
    """The digest itself; nothing else ever becomes part of a path."""
    if not _HEX.fullmatch(sha256):
        raise InvalidDigest(f"expected 64 lower-case hexadecimal digits, found {sha256[:80]!r}")
    return sha256


def path_of(sha256: str) -> Path:
    """Where the blob with this digest is, or would be."""
    check_digest(sha256)
    return blobs_folder() / sha256[:2] / sha256


class Part:
    """A blob that is being received: bytes go in, and either a blob or nothing comes out."""

    def __init__(self) -> None:
        self._path = parts_folder() / f"{PART_PREFIX}{secrets.token_hex(16)}"
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        _make_folder(parts_folder())
        self._file = self._path.open("xb", buffering=0)

    def write(self, chunk: bytes | memoryview) -> None:
        """Hashes and writes; a full disk is an OSError."""
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]

    @property
    def sha256(self) -> str:
        """The digest of what came so far."""
        return self._hash.hexdigest()

    def check(self, *, sha256: str, size_bytes: int) -> None:
        """Raises TruncatedUpload or DigestMismatch, which say what was announced and what came."""
        if self.size_bytes != size_bytes:
            raise TruncatedUpload(f"expected {size_bytes} bytes, found {self.size_bytes}")
        if self.sha256 != sha256:
            raise DigestMismatch(f"expected sha256:{sha256}, found sha256:{self.sha256}")

    def sync(self) -> None:
        """What came so far is on the disk from here on; a large file takes its time for it."""
        os.fsync(self._file.fileno())

    def keep(self) -> Path:
        """Makes it the blob of its digest, durably; one that is there already is the same bytes."""
        target = path_of(self.sha256)
        _make_folder(target.parent)
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.rename(target)
        durable.sync(target.parent)
        durable.sync(parts_folder())
        return target

    def close(self) -> None:
        """Removes what was not kept."""
        self._file.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make_folder(folder: Path) -> None:
    """Makes it and its parents, each synced into its own parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    durable.sync(folder.parent)

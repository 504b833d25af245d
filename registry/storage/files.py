# SPDX-License-Identifier: Apache-2.0
"""A blob that is being received: bytes go in, and no crash leaves half a blob.

It is written to `.part-*` while it is hashed, compared, synced, and only then taken by its place
(folder.py). After that a row may say that the blob is here.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from . import places
from .errors import DigestMismatch, TruncatedUpload
from .folder import Folder, make_folder
from .places import Place

PART_PREFIX = ".part-"


def parts_folder() -> Path:
    """Where the parts of blobs are."""
    return places.primary().parts


def path_of(sha256: str) -> Path:
    """Where the blob with this digest is, or would be, if blobs are files."""
    return Folder(root=places.blobs_folder()).path(sha256)


class Part:
    """Bytes go in, and either a blob or nothing comes out."""

    def __init__(self, place: Place | None = None) -> None:
        self._place = place or places.primary()
        self._path = self._place.parts / f"{PART_PREFIX}{secrets.token_hex(16)}"
        self._hash = hashlib.sha256()
        self.size_bytes, self._settled_bytes = 0, -1
        make_folder(self._place.parts)
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

    def settle(self) -> None:
        """What came so far is durable from here on; a large file takes its time for it."""
        if self._settled_bytes == self.size_bytes:
            return
        os.fsync(self._file.fileno())
        self._place.settle(self._path, self.sha256)
        self._settled_bytes = self.size_bytes

    def end(self) -> None:
        """Nothing more comes: it is durable, and no open file, of which there are only so many."""
        self.settle()
        self._file.close()

    def open(self) -> BinaryIO:
        """What came so far, to be read, before it is kept."""
        return self._path.open("rb")

    def keep(self) -> None:
        """Makes it the blob of its digest, durably."""
        self.settle()
        self._file.close()
        self._place.take(self._path, self.sha256)

    def set_aside(self, path: Path) -> None:
        """It is a file of its own, and no blob: what is lost of it is sent again."""
        self._file.close()
        self._path.replace(path)

    def close(self) -> None:
        """Removes what was not kept."""
        self._file.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

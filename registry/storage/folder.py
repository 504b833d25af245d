# SPDX-License-Identifier: Apache-2.0
"""Blobs in a folder: each under its digest, whole and durable once it is there.

The recipe (measured: without any one step a power cut loses acknowledged files): the part is
written and synced (files.py), renamed to its digest, and both folders are synced.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from assay.signing import durable

from .errors import InvalidDigest

_HEX = re.compile(r"[0-9a-f]{64}")
_BLOBS = f"{'[0-9a-f]' * 2}/{'[0-9a-f]' * 64}"


def check_digest(sha256: str) -> str:
    """The digest itself; nothing else ever becomes part of a path."""
    if not _HEX.fullmatch(sha256):
        raise InvalidDigest(f"expected 64 lower-case hexadecimal digits, found {sha256[:80]!r}")
    return sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A place of blobs (places.py) on a file system."""

    root: Path

    @property
    def parts(self) -> Path:
        """Where unfinished blobs are: on the same file system, so that a rename is all it takes."""
        return self.root / "parts"

    def path(self, sha256: str) -> Path:
        """Where the blob with this digest is, or would be."""
        check_digest(sha256)
        return self.root / sha256[:2] / sha256

    def check(self) -> None:
        """It is made with the first blob."""

    def settle(self, part: Path, sha256: str) -> None:
        """Nothing more: a part is on the same file system."""

    def take(self, part: Path, sha256: str) -> None:
        """One that is there already is the same bytes."""
        target = self.path(sha256)
        make_folder(target.parent)
        _move(part, target)

    def open(self, sha256: str) -> BinaryIO:
        """The bytes, to be closed by the caller."""
        return self.path(sha256).open("rb")

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """The file itself."""
        path = self.path(sha256)
        path.stat()
        yield path

    def stamp(self, sha256: str) -> str:
        """Another one after each time that it was put here."""
        with suppress(FileNotFoundError):
            found = self.path(sha256).stat()
            return f"{found.st_ino}-{found.st_mtime_ns}"
        return ""

    def remove(self, sha256: str) -> None:
        """Gone, if it was there."""
        self.path(sha256).unlink(missing_ok=True)

    def quarantine(self, sha256: str) -> None:
        """Keeps the bytes for whoever wants to know what happened to them."""
        target = self._quarantined(sha256)
        make_folder(target.parent)
        _move(self.path(sha256), target)

    def is_quarantined(self, sha256: str) -> bool:
        """That it was here, and was not what it should be."""
        return self._quarantined(sha256).exists()

    def older_than(self, moment: datetime) -> Iterator[str]:
        """The digests of what has been here since before."""
        for path in self.root.glob(_BLOBS):
            with suppress(FileNotFoundError):  # removed just now
                if path.stat().st_mtime < moment.timestamp():
                    yield path.name

    def _quarantined(self, sha256: str) -> Path:
        return self.root / "quarantine" / check_digest(sha256)


def make_folder(folder: Path) -> None:
    """Makes it and its parents, each synced into its own parent, whoever made it."""
    if folder.is_dir():
        _settle(folder)
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    durable.sync(folder.parent)


@functools.lru_cache(maxsize=1024)  # there are 256 and a few, of each place
def _settle(folder: Path) -> None:
    """Another process may have made it a moment ago, and not come to the sync yet.

    Once in each process: a name that was synced stays so. A parent that may not be read was not
    made by us.
    """
    with suppress(PermissionError):
        durable.sync(folder.parent)


def _move(source: Path, target: Path) -> None:
    source.rename(target)
    durable.sync(target.parent)
    durable.sync(source.parent)

# SPDX-License-Identifier: Apache-2.0
"""Where blobs are: one narrow interface, and which place this deployment has.

What is asked for and is not there is a FileNotFoundError, and what a place cannot do now an
OSError; which of it is a refusal, and which a fault, is for services.py to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from .bucket import Bucket, open_store
from .folder import Folder


class Place(Protocol):
    """Holds blobs by digest."""

    @property
    def parts(self) -> Path:
        """A folder of this machine in which blobs are received."""

    def check(self) -> None:
        """Raises an OSError where the place as a whole does not answer."""

    def settle(self, part: Path, sha256: str) -> None:
        """Do whatever of `take` takes long; nobody waits for this, while others wait for that."""

    def take(self, part: Path, sha256: str) -> None:
        """Make a file of `parts`, which is synced, the blob; durable once this returns."""

    def open(self, sha256: str) -> BinaryIO:
        """The bytes, to be read and sought in, and closed by the caller."""

    def local(self, sha256: str) -> AbstractContextManager[Path]:
        """A file of this machine with the bytes, for as long as the block lasts."""

    def stamp(self, sha256: str) -> str:
        """What changes each time that the blob is put here; empty where there is none."""

    def remove(self, sha256: str) -> None:
        """Let it be gone, whether or not it was there."""

    def quarantine(self, sha256: str) -> None:
        """Put it where nothing is served from."""

    def is_quarantined(self, sha256: str) -> bool:
        """Whether that happened to it."""

    def older_than(self, moment: datetime) -> Iterator[str]:
        """The digests of the blobs that were put here before."""


def blobs_folder() -> Path:
    """Where blobs are by default, and always the parts of those that are being received."""
    return Path(settings.DATA_DIR) / "blobs"


def primary() -> Place:
    """Where blobs are read from; the tests move it."""
    if settings.BUCKET:
        return Bucket(store=open_store(settings.BUCKET), parts=blobs_folder() / "parts")
    return Folder(root=blobs_folder())


def second() -> Folder | None:
    """Where another copy of each is (ASSAY_SECOND_COPY); None without one.

    A folder that is not there is never made: it is a disk that is not mounted.
    """
    return Folder(root=Path(settings.SECOND_COPY)) if settings.SECOND_COPY else None

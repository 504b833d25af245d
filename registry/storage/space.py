# SPDX-License-Identifier: Apache-2.0
"""How much room the disk has. Uploads stop before it is full, so that all else goes on.

A full disk stops the database and the ledger, and has ended logs for good (docs/settings.md:
ASSAY_DISK_RESERVE). What the registry itself writes, a signature or a policy, is not stopped.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from .errors import NoSpace
from .places import blobs_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is free on the disk of the blobs, and how much of it uploads leave free."""

    free_bytes: int
    reserve_bytes: int

    @property
    def is_short(self) -> bool:
        """That no upload is taken now."""
        return self.free_bytes <= self.reserve_bytes


def room() -> Room:
    """As it is at this moment; for one who is not root, whom file systems give a little more."""
    folder = blobs_folder()
    found = os.statvfs(folder if folder.is_dir() else Path(settings.DATA_DIR))
    return Room(
        free_bytes=found.f_bavail * found.f_frsize,
        reserve_bytes=settings.DISK_RESERVE.of(found.f_blocks * found.f_frsize),
    )


def check_room(size_bytes: int) -> None:
    """Raises NoSpace where so many bytes more would take what uploads leave free."""
    now = room()
    if now.is_short or now.free_bytes - size_bytes < now.reserve_bytes:
        raise NoSpace(
            f"expected room for {size_bytes} bytes beside the {now.reserve_bytes} that uploads "
            f"leave free, found {now.free_bytes} bytes in all; reading goes on, try again later"
        )

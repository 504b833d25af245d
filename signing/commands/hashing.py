# SPDX-License-Identifier: Apache-2.0
"""Hash a checkpoint's files, and show a bar on a terminal: gigabytes take a while.

How far it is, the kernel says: how many bytes this process has read (proc(5); where there is no
such file, only the time is shown).
"""

from __future__ import annotations

from pathlib import Path

from ..manifest import Manifest, folder_pieces
from .bar import Work, shown
from .errors import InputUnreadable
from .inputs import Hasher
from .terminal import Terminal

IO_FILE = Path("/proc/self/io")


def hasher(ignore: frozenset[str], progress: Terminal) -> Hasher:
    """What hashes a folder's files, and shows its progress on a terminal."""

    def hash_folder(folder: Path) -> Manifest:
        if not folder.is_dir():
            raise InputUnreadable(f"{folder}: expected a folder with a checkpoint's files")
        total_bytes = 0
        if progress.is_live:  # in a pipe nobody watches, and nothing is listed twice
            total_bytes = sum(piece.file_bytes for piece in folder_pieces(folder, ignore=ignore))
        before_bytes = _bytes_read()
        work = Work(
            verb="hashing",
            total_bytes=total_bytes,
            done_bytes=lambda: _bytes_read() - before_bytes,
        )
        with shown(work, progress):
            return Manifest.of_folder(folder, ignore=ignore)

    return hash_folder


def _bytes_read() -> int:
    """All bytes that this process has read so far; 0 where the kernel does not say."""
    try:
        fields = dict(line.split(": ") for line in IO_FILE.read_text().splitlines())
    except OSError:
        return 0
    return int(fields["rchar"])

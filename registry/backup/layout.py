# SPDX-License-Identifier: Apache-2.0
"""What is where in a folder of backups, and the document that makes a backup one.

lock                      held while a backup is made
blobs/ab/abcd…            every blob of every backup, once
.unfinished/              a backup that is being made, or whose making was interrupted: none
20261120T180322Z/         a backup: manifest.json is its last file, and names all the others
    database.dump         pg_dump's custom format
    blobs.txt             digest and size of each blob that the dump's rows name
    signer/               head.json (the high-water mark), audit.jsonl, trust-root.json
    manifest.json         digests and sizes of these files, and how far the ledger goes
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.signing import canonical, hashing
from assay.signing.errors import InvalidDocument
from assay.signing.hashing import Piece
from assay.signing.signer.ceremony import AUDIT_FILE, HEAD_FILE
from assay.signing.signer.opening import TRUST_ROOT_FILE

from .errors import BackupDamaged, NoBackup

BACKUP_V1 = "https://assay/backup/v1"
LOCK, BLOBS, UNFINISHED = "lock", "blobs", ".unfinished"
MANIFEST, DUMP, BLOB_LIST, SIGNER = "manifest.json", "database.dump", "blobs.txt", "signer"
HEAD, AUDIT, TRUST_ROOT = HEAD_FILE, AUDIT_FILE, TRUST_ROOT_FILE
FILES = frozenset({DUMP, BLOB_LIST, *(f"{SIGNER}/{name}" for name in (HEAD, AUDIT, TRUST_ROOT))})
NAME_FORMAT = "%Y%m%dT%H%M%SZ"
_BLOB = re.compile(r"([0-9a-f]{64}) ([0-9]{1,19})")
AGAIN = "restore another backup, or make a new one from the registry if it still runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file: its name in the backup, digest and size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a backup says of itself."""

    made_at: str
    registry: str
    entries: int
    """How many entries of the ledger the dump holds."""
    files: tuple[Stored, ...]

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        files = [{"name": f.name, "sha256": f.sha256, "size": f.size} for f in self.files]
        return {
            "type": BACKUP_V1,
            "made_at": self.made_at,
            "registry": self.registry,
            "entries": self.entries,
            "files": files,
        }

    @classmethod
    def parse(cls, data: bytes) -> Contents:
        """Read the JSON form; raises InvalidDocument."""
        obj = canonical.as_mapping(canonical.loads(data), "manifest")
        canonical.literal(obj, "type", BACKUP_V1)
        files = tuple(map(_file, canonical.items(obj, "files", maximum=len(FILES))))
        if {file.name for file in files} != FILES:  # that many at most: each once
            found = ", ".join(ascii(file.name) for file in files)
            raise InvalidDocument("files", f"each of {', '.join(sorted(FILES))}", found or "none")
        return cls(
            made_at=canonical.text(obj, "made_at"),
            registry=canonical.text(obj, "registry"),
            entries=canonical.integer(obj, "entries"),
            files=files,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A finished backup on the disk."""

    folder: Path
    contents: Contents

    def place(self, name: str) -> Path:
        """Where a file of it is."""
        return self.folder / name

    def blobs(self) -> dict[str, int]:
        """The size in bytes of each blob that belongs to it, by digest; raises BackupDamaged."""
        lines = self.place(BLOB_LIST).read_bytes().decode(errors="replace").splitlines()
        found = [_BLOB.fullmatch(line) for line in lines]
        sizes = {each[1]: int(each[2]) for each in found if each}
        if len(sizes) != len(lines):
            raise BackupDamaged(
                f"{self.place(BLOB_LIST)}: expected a digest and a size in each line, and each "
                f"digest once; {AGAIN}"
            )
        return sizes

    def blob(self, sha256: str) -> Path:
        """Where the bytes of a blob are."""
        return blob_place(self.folder.parent, sha256)


def blob_place(folder: Path, sha256: str) -> Path:
    """Where a blob is in a folder of backups."""
    return folder / BLOBS / sha256[:2] / sha256


def newest(folder: Path) -> Path:
    """The newest finished backup in a folder; raises NoBackup."""
    found = [path.parent for path in folder.glob(f"[0-9]*/{MANIFEST}")]
    if not found:
        raise NoBackup(
            f"{folder}: expected a folder in which `manage.py backup` finished at least once; "
            f"what is in {UNFINISHED} was interrupted and is no backup"
        )
    return max(found)


def open_backup(path: Path) -> Backup:
    """The backup in a folder, or the newest of several; every file of it is checked but the blobs.

    Raises NoBackup or BackupDamaged.
    """
    folder = path if (path / MANIFEST).is_file() else newest(path)
    try:
        contents = Contents.parse((folder / MANIFEST).read_bytes())
        backup = Backup(folder=folder, contents=contents)
        check_files((folder / file.name, file) for file in contents.files)
    except (InvalidDocument, OSError) as error:
        raise BackupDamaged(f"{folder}: {error}; {AGAIN}") from error
    return backup


def check_blobs(backup: Backup) -> None:
    """Read every blob of a backup; raises BackupDamaged at the first that is not what it was."""
    blobs = backup.blobs().items()
    check_files(
        (backup.blob(sha256), Stored(name=sha256, sha256=sha256, size=size))
        for sha256, size in blobs
    )


def check_files(files: Iterable[tuple[Path, Stored]]) -> None:
    """Hash files on every core; raises BackupDamaged at the first that is not what it should be."""
    expected: dict[Path, Stored] = {}

    def pieces() -> Iterator[Piece]:
        for path, file in files:
            expected[path] = file
            try:
                yield Piece.whole(path, file.name)
            except OSError as error:
                raise BackupDamaged(f"{path}: {error.strerror}; {AGAIN}") from error

    for piece, (sha256,) in hashing.digests(pieces()):
        file = expected.pop(piece.path)
        if (sha256, piece.file_bytes) != (file.sha256, file.size):
            raise BackupDamaged(
                f"{piece.path}: expected {file.size} bytes with sha256:{file.sha256}, "
                f"found {piece.file_bytes} with sha256:{sha256}; {AGAIN}"
            )


def _file(value: object) -> Stored:
    obj = canonical.as_mapping(value, "file")
    return Stored(
        name=canonical.text(obj, "name"),
        sha256=canonical.sha256_hex(obj, "sha256"),
        size=canonical.integer(obj, "size"),
    )

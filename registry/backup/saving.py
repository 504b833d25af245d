# SPDX-License-Identifier: Apache-2.0
"""Makes a backup of a registry that may be running meanwhile.

The order is what makes it one state: first the signer's high-water mark, then the database, then
the blobs. So the dump's ledger holds at least what the mark says was signed, and every blob that
the dump names is on the disk already, as blobs are before their rows and never change.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assay.signing import canonical, durable, hashing
from assay.signing.digests import sha256_file
from assay.signing.hashing import Piece
from registry.authority import queries as authority
from registry.ledger import queries as ledger
from registry.storage import queries as storage
from registry.storage import services as blobs
from registry.storage.errors import BlobLost

from . import database, layout
from .errors import BackupBusy, BackupDamaged, BlobMissing, NoAuthorityHere
from .layout import Backup, Contents, Stored

COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A backup that was made: where it is, and what was not there yet."""

    backup: Backup
    blobs: int
    copied: int


def save(folder: Path, *, at: datetime) -> Saved:
    """Make a backup in a folder of backups; raises BackupError or OSError, and then there is none.

    Blobs that an earlier backup copied are read, and copied again only if they are not what they
    were.
    """
    folder.mkdir(mode=durable.PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    with _locked(folder):
        unfinished = folder / layout.UNFINISHED
        shutil.rmtree(unfinished, ignore_errors=True)
        durable.make_folder(unfinished)
        try:
            return _save(folder, unfinished, at)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)  # renamed by now, or no backup


def _save(folder: Path, unfinished: Path, at: datetime) -> Saved:
    registry = _save_signer(unfinished / layout.SIGNER)
    with database.snapshot() as name:
        database.dump(unfinished / layout.DUMP, name=name)
        wanted = sorted(storage.everything())
        entries = ledger.assigned_size()
    lines = "".join(f"{digest} {size}\n" for digest, size in wanted)
    (unfinished / layout.BLOB_LIST).write_text(lines, encoding="ascii")
    sound = frozenset(_sound(folder, wanted))
    missing = [blob for blob in wanted if blob[0] not in sound]
    for digest, size in missing:
        _save_blob(folder, digest, size)
    contents = Contents(
        made_at=canonical.instant_text(at),
        registry=registry,
        entries=entries,
        files=tuple(_listed(unfinished)),
    )
    durable.sync_tree(unfinished)
    durable.write_file(unfinished / layout.MANIFEST, canonical.dumps(contents.to_json()))
    target = folder / at.strftime(layout.NAME_FORMAT)
    unfinished.rename(target)
    durable.sync(folder)
    backup = Backup(folder=target, contents=contents)
    return Saved(backup=backup, blobs=len(wanted), copied=len(missing))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Be the only one who writes there; for who was killed the kernel unlocks it."""
    descriptor = os.open(folder / layout.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        message = f"{folder}: another backup is being made there; wait for it"
        raise BackupBusy(message) from error
    finally:
        os.close(descriptor)


def _save_signer(folder: Path) -> str:
    """What of the signer is no secret: its mark, its audit file, the trust root; whose it is."""
    durable.make_folder(folder)
    source = authority.folder()
    try:
        trust_root = authority.stored_trust_root()
        mark = (source / layout.HEAD).read_bytes()  # before the audit file, which goes on meanwhile
        audit = (source / layout.AUDIT).read_bytes()
    except OSError as error:
        raise _no_authority(f"{error.filename}: {error.strerror}") from error
    if trust_root is None:
        raise _no_authority(f"no {layout.TRUST_ROOT} in {source}")
    whole_lines = audit[: audit.rfind(b"\n") + 1]
    for name, data in (
        (layout.HEAD, mark),
        (layout.AUDIT, whole_lines),
        (layout.TRUST_ROOT, canonical.dumps(trust_root.to_json())),
    ):
        (folder / name).write_bytes(data)
    return trust_root.registry


def _no_authority(found: str) -> NoAuthorityHere:
    return NoAuthorityHere(
        f"expected the signer's folder with its high-water mark, found {found}; make the backup on "
        "the machine that has it (its keys are not read), with ASSAY_DATA_DIR naming the folder "
        "that authority/ is in"
    )


def _sound(folder: Path, wanted: Iterable[tuple[str, int]]) -> Iterator[str]:
    """The blobs that an earlier backup copied and that are still what they were.

    Each is read whole: what rots keeps its size, and would be missed when it is needed.
    """
    places = (layout.blob_place(folder, digest) for digest, _ in wanted)
    files = (path for path in places if path.is_file() and not path.is_symlink())
    pieces = (Piece.whole(path, path.name) for path in files)
    for piece, (digest,) in hashing.digests(pieces):
        if digest == piece.name:
            yield digest


def _save_blob(folder: Path, digest: str, size: int) -> None:
    """Copy a blob.

    Copied, not linked: bytes that a fault changes in the one must not change in the other.
    """
    target = layout.blob_place(folder, digest)
    _make_folders(target.parent)
    try:
        with blobs.open_blob(digest) as source, durable.replacing(target) as file:
            shutil.copyfileobj(source, file, COPY_BYTES)
    except BlobLost as error:
        message = f"{error}; put it back from an older backup before making a new one"
        raise BlobMissing(message) from error
    if sha256_file(target) != (digest, size):
        target.unlink()
        raise BackupDamaged(
            f"the blob sha256:{digest} of the registry has other bytes than its name says; put it "
            "back from an older backup before making a new one"
        )


def _make_folders(folder: Path) -> None:
    for each in (folder.parent, folder):
        if not each.is_dir():
            durable.make_folder(each)


def _listed(unfinished: Path) -> Iterator[Stored]:
    for path in sorted(path for path in unfinished.rglob("*") if path.is_file()):
        digest, size = sha256_file(path)
        yield Stored(name=path.relative_to(unfinished).as_posix(), sha256=digest, size=size)

# SPDX-License-Identifier: Apache-2.0
"""From a backup to a registry: into an empty place, closed to writes until all of it is verified.

1. Every file and blob of the backup has the bytes that it had when it was made.
2. There is nothing where it goes: no table, no blob, no file of the ledger.
3. The keys here, if there are any, are of the backup's registry.
4. The database is closed to writes; then it is filled.
5. The blobs are stored, each hashed once more.
6. The audit chain, the ledger from its leaves, every tree head and every signature are verified.
7. The ledger continues what was signed, by the high-water mark and by the audit file: the backup's
   and the signer's own if one is here; and any tree head that the operator has from elsewhere.
8. The signer's mark and audit file are put back where those here are not newer; writes open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from assay.signing import canonical, treehead
from assay.signing.errors import AssayError
from assay.signing.signer.highwater import Head
from assay.signing.trust import TrustRoot
from registry.authority import queries as authority
from registry.ledger import folder as ledger_folder
from registry.storage import files, places

from . import checking, database, history, layout
from .checking import Checked
from .errors import AnotherRegistry, BackupDamaged, NotEmpty
from .history import Signed
from .layout import AGAIN, AUDIT, HEAD, SIGNER, TRUST_ROOT, Backup

COPY_BYTES = 1 << 20
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored and verified."""

    backup: Backup
    trust: TrustRoot
    checked: Checked
    blobs: int
    is_vouched: bool
    """Whether something that is not out of the backup said how far the ledger must go."""
    lost_lines: int
    """How many lines of the signer's audit file its mark knows of, and nobody has any more."""


def restore(source: Path, *, seen: Path | None, say: Say) -> Restored:
    """Restore the newest backup of a folder, or the one that it is; raises BackupError or OSError.

    `seen` is a file with a tree head (a signed note) that somebody saw: a witness, or a monitor.
    """
    say("reading the backup")
    backup = layout.open_backup(source)
    blobs = backup.blobs()
    layout.check_blobs(backup)  # 1
    _check_empty()  # 2
    trust = _trust(backup)
    _check_keys(backup, trust)  # 3
    own, others = _own_heads(backup), _other_heads(trust, seen)
    for signed in (*own, *others):
        checking.check_reaches(backup.contents.entries, signed.head, signed.whose)
    say("filling the database, which nobody may write to yet")
    database.close_writes()  # 4
    database.fill(backup.place(layout.DUMP))
    database.migrate()
    say(f"storing {len(blobs)} blobs")
    for digest, size in blobs.items():  # 5
        _store(backup.blob(digest), digest, size)
    say("verifying the ledger from its leaves, and every signature")
    checking.check_blobs_are_listed(blobs)
    checked = checking.check(trust)  # 6
    for signed in (*own, *others):  # 7
        checking.check_continues(signed.head, signed.whose)
    newest = max((each.head for each in (*own, *others)), key=lambda head: head.size)
    lost = history.put_back(backup.place(SIGNER), authority.folder(), newest=newest)  # 8
    database.open_writes()
    return Restored(
        backup=backup,
        trust=trust,
        checked=checked,
        blobs=len(blobs),
        is_vouched=bool(others),
        lost_lines=lost,
    )


def _check_empty() -> None:
    database.check_empty()
    for folder in (places.blobs_folder(), ledger_folder.place("")):
        if folder.is_dir() and any(path.is_file() for path in folder.rglob("*")):
            raise NotEmpty(
                f"{folder} has files: a backup is restored into an empty folder only. Name another "
                "ASSAY_DATA_DIR, or move the folder away"
            )
    if next(places.primary().older_than(timezone.now() + timedelta(days=1)), None) is not None:
        raise NotEmpty(
            "the bucket that ASSAY_BUCKET names has blobs: a backup is restored into an empty one "
            "only"
        )


def _trust(backup: Backup) -> TrustRoot:
    """The trust root in the backup, which its own manifest vouches for."""
    place = backup.place(f"{SIGNER}/{TRUST_ROOT}")
    try:
        return TrustRoot.parse(canonical.loads(place.read_bytes()))
    except (AssayError, OSError) as error:
        raise BackupDamaged(f"{place}: {error}; {AGAIN}") from error


def _check_keys(backup: Backup, trust: TrustRoot) -> None:
    audit = backup.place(f"{SIGNER}/{AUDIT}").read_bytes()
    own = history.whole_lines(authority.folder() / AUDIT)
    here = authority.stored_trust_root()
    if here is not None and here.fingerprint != trust.fingerprint:
        raise AnotherRegistry(
            f"the keys in {authority.folder()} are those of {here.registry} ({here.fingerprint}), "
            f"and the backup is of {trust.registry} ({trust.fingerprint}): name the ASSAY_DATA_DIR "
            "that the backup's keys were restored to"
        )
    if not audit.startswith(own) and not own.startswith(audit):
        raise AnotherRegistry(
            f"{authority.folder() / AUDIT} and the backup's {AUDIT} are two histories of one "
            "signer: find out which of them is true before anything is signed again"
        )


def _own_heads(backup: Backup) -> tuple[Signed, ...]:
    """What was signed, according to the backup."""
    place = backup.place(SIGNER)
    try:
        return history.signed(
            place, mark="the high-water mark in the backup", audit="the backup's audit file"
        )
    except AssayError as error:
        raise BackupDamaged(f"{place}: {error}; {AGAIN}") from error


def _other_heads(trust: TrustRoot, seen: Path | None) -> tuple[Signed, ...]:
    """What was signed, according to the signer's files here and to who saw a tree head."""
    here = authority.folder()
    mark, audit = f"the signer's mark {here / HEAD}", f"the signer's audit file {here / AUDIT}"
    try:
        found = history.signed(here, mark=mark, audit=audit)
        if seen is None:
            return found
        note = treehead.verify(_note(seen), trust.verifier)
    except AssayError as error:
        raise AnotherRegistry(
            f"{error}; give the file that the backup's own registry wrote or signed"
        ) from error
    head = Head(size=note.size, root=note.root)
    return (*found, Signed(head=head, whose=f"the tree head in {seen}"))


def _note(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _store(source: Path, digest: str, size: int) -> None:
    """Put a blob's bytes where its row, which the dump has, says that they are."""
    with source.open("rb") as file, files.Part() as part:
        while chunk := file.read(COPY_BYTES):
            part.write(chunk)
        part.check(sha256=digest, size_bytes=size)
        part.keep()

# SPDX-License-Identifier: Apache-2.0
"""Data sets: the text files of a folder as blobs, a manifest, and a signed statement of origin."""

from __future__ import annotations

import os
import platform
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from assay.signing.certificates import Purpose
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import DatasetClaim
from registry.accounts.queries import SYSTEM, Namespace
from registry.audit import services as audit
from registry.authority import services as authority
from registry.ledger import services as ledger
from registry.storage import services as storage

from .. import queries
from ..errors import BlobMissing, NameTaken, NoText
from ..models import Dataset, DatasetFile
from .receiving import check_name

WRITERS = 8  # waiting for the disk, not for a core: three syncs make a file durable
MAX_FILE_BYTES = 64 * 1024 * 1024
# Of the standard library: what is no library, or is made of odd bytes on purpose.
NOT_LIBRARY = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idlelib", "idle_test", "__pycache__"}
    | {"turtledemo", "lib2to3", "ensurepip", "pydoc_data"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a folder of text comes from, and which of its files are meant."""

    folder: Path
    title: str
    source: str
    license: str
    """An SPDX expression."""
    endings: tuple[str, ...] = ()
    """Only files that end in one of these; empty for every text file."""
    without: frozenset[str] = frozenset()
    """Names of folders that are left out, wherever they are."""


def standard_library() -> Origin:
    """The source of the running Python's own standard library: real text on every machine."""
    version = platform.python_version()
    return Origin(
        folder=Path(sysconfig.get_paths()["stdlib"]),
        title=f"The standard library of Python {version}",
        source=f"The .py files of the standard library of CPython {version}, as installed",
        license="PSF-2.0",
        endings=(".py",),
        without=NOT_LIBRARY,
    )


def add_dataset(owner: Namespace, name: str, origin: Origin) -> Dataset:
    """Store, sign and log a folder's text files; the same files again give the same data set.

    Raises NoText for a folder without any, NameTaken for other files under the same name.
    """
    check_name(name)
    manifest = _store(origin)
    existing = queries.dataset(owner, name)
    if existing is not None and existing.sha256 != manifest.id:
        raise NameTaken(f"expected a new name, but {existing} holds other files")
    dataset = existing or _create(owner, name, origin, manifest)
    ledger.integrate()
    return dataset


def _create(owner: Namespace, name: str, origin: Origin, manifest: Manifest) -> Dataset:
    claim = DatasetClaim(
        manifest_sha256=manifest.id,
        name=f"{owner.name}/{name}",
        title=origin.title,
        source=origin.source,
        license=origin.license,
        files=len(manifest.files),
        bytes=manifest.size_bytes,
    )
    under = authority.ensure(Purpose.CHECKPOINT, owner)
    digests = {file.sha256 for file in manifest.files}
    with transaction.atomic():
        if storage.hold(digests) != digests:
            raise BlobMissing("expected every file that was just stored; add the data set again")
        statement = authority.sign(Purpose.CHECKPOINT, owner, claim.statement(), under=under)
        dataset = Dataset.objects.create(
            owner=owner,
            name=name,
            title=origin.title,
            sha256=manifest.id,
            manifest=manifest.to_json(),
            statement=statement,
        )
        DatasetFile.objects.bulk_create(
            DatasetFile(dataset=dataset, name=file.name, sha256=file.sha256, size=file.size)
            for file in manifest.files
        )
        details = {"id": manifest.id, "files": claim.files, "bytes": claim.bytes}
        audit.record(SYSTEM, "dataset.add", claim.name, details)
    return dataset


def _store(origin: Origin) -> Manifest:
    """Every text file as a blob; what a refusal leaves behind harms nobody."""
    with ThreadPoolExecutor(WRITERS) as writers:
        written = list(writers.map(lambda path: _write(origin.folder, path), _walk(origin)))
    entries = [entry for entry in written if entry is not None]
    if not entries:
        raise NoText(f"expected a folder with text files, found none in {origin.folder}")
    manifest = Manifest.of(entries)
    storage.record({entry.sha256: entry.size for entry in manifest.files}, holder=SYSTEM)
    return manifest


def _write(folder: Path, path: Path) -> FileEntry | None:
    """A text file's bytes, durably on the disk; None for what is no text."""
    content = path.read_bytes()
    if not content or not _is_text(content):
        return None
    storage.check_room(len(content))
    with storage.Part() as part:
        part.write(content)
        part.keep()
    name = path.relative_to(folder).as_posix()
    return FileEntry(name=name, sha256=part.sha256, size=part.size_bytes)


def _walk(origin: Origin) -> Iterator[Path]:
    """Regular files below the folder; links and hidden files are not followed or taken."""
    for folder, folders, names in os.walk(origin.folder):
        folders[:] = sorted(
            each for each in folders if each not in origin.without and not each.startswith(".")
        )
        for name in sorted(names):
            path = Path(folder) / name
            if name.startswith(".") or path.is_symlink() or not path.is_file():
                continue
            is_meant = not origin.endings or name.endswith(origin.endings)
            if is_meant and path.stat().st_size <= MAX_FILE_BYTES:
                yield path


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False

# SPDX-License-Identifier: Apache-2.0
"""Files and folders of a revision as the Hub's clients know them: by git's names, or git-lfs's."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from registry.catalog import queries as catalog
from registry.catalog.content.large import is_large, pointer, pointer_oid
from registry.catalog.queries import File, Project, revisions
from registry.catalog.queries.revisions import NO_OID, Found
from registry.storage import services as storage

from .errors import EntryUnknown

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

ROOT = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFile:
    """A file; `git_oid` is of its bytes, or for a large one of the pointer to them."""

    path: str
    sha256: str
    size_bytes: int
    git_oid: str

    @property
    def is_large(self) -> bool:
        """Whether clients know it by its SHA-256."""
        return is_large(self.path, self.size_bytes)

    @property
    def tag(self) -> str:
        """What its ETag is, and what tells a client that it has these bytes already."""
        return self.sha256 if self.is_large else self.git_oid

    @property
    def pointer(self) -> bytes:
        """What git has in place of a large file."""
        return pointer(self.sha256, self.size_bytes)

    def to_json(self) -> dict[str, object]:
        """As a tree lists it."""
        found: dict[str, object] = {
            "type": "file",
            "path": self.path,
            "size": self.size_bytes,
            "oid": self.git_oid,
        }
        if self.is_large:
            size = {"size": self.size_bytes, "pointerSize": len(self.pointer)}
            found["lfs"] = {"oid": self.sha256, **size}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFolder:
    """A folder, which is there because of the files below it."""

    path: str
    oid: str

    def to_json(self) -> dict[str, object]:
        """As a tree lists it."""
        return {"type": "directory", "path": self.path, "size": 0, "oid": self.oid}


def files_of(of: Found) -> list[RepoFile]:
    """All files of the revision by name, its signatures with them."""
    if of.checkpoint is None:
        return []
    return _read(catalog.served(of.checkpoint).order_by("name"))


def file_at(project: Project, revision: str, path: str) -> tuple[Found, RepoFile]:
    """One file; raises RevisionUnknown, or EntryUnknown with the revision in its headers."""
    found = revisions.find_any(project, revision)
    rows = _read(catalog.served(found.checkpoint).filter(name=path)) if found.checkpoint else []
    if not rows:
        raise no_file(found, path)
    return found, rows[0]


def files_at(of: Found, paths: Sequence[str]) -> list[RepoFile]:
    """These files of the revision, in this order; raises EntryUnknown for one that is none."""
    rows = _read(catalog.served(of.checkpoint).filter(name__in=paths)) if of.checkpoint else []
    named = {file.path: file for file in rows}
    if absent := [path for path in paths if path not in named]:
        raise no_file(of, absent[0])
    return [named[path] for path in paths]


def no_file(found: Found, path: str) -> EntryUnknown:
    """Clients remember that there is none, if they are told of which revision that is true."""
    return EntryUnknown(
        f"expected a file of the revision {found.oid}, found none called {path[:120]!r}",
        headers={"X-Repo-Commit": found.oid},
    )


def below(
    files: Sequence[RepoFile], folder: str, *, is_recursive: bool
) -> list[RepoFile | RepoFolder]:
    """What is in a folder, by path; with all that is below it, if so."""
    start = f"{folder}/" if folder else ROOT
    found: dict[str, RepoFile | RepoFolder] = {}
    for file in files:
        if file.path.startswith(start) and (is_recursive or "/" not in file.path[len(start) :]):
            found[file.path] = file
    found |= {
        path: inner
        for path, inner in folders(files).items()
        if path.startswith(start) and (is_recursive or "/" not in path[len(start) :])
    }
    return [found[path] for path in sorted(found)]


def folders(files: Iterable[RepoFile]) -> dict[str, RepoFolder]:
    """All folders by path. Their oids change with what is below; git's own would need its trees."""
    hashes: defaultdict[str, Hash] = defaultdict(partial(hashlib.sha1, usedforsecurity=False))
    for file in files:
        line = f"{file.sha256} {file.path}\n".encode()
        for end, character in enumerate(file.path):
            if character == "/":
                hashes[file.path[:end]].update(line)
    return {path: RepoFolder(path=path, oid=each.hexdigest()) for path, each in hashes.items()}


def _read(rows: QuerySet[File]) -> list[RepoFile]:
    named = list(rows.values_list("name", "sha256", "size"))
    small = {sha256 for name, sha256, size in named if not is_large(name, size)}
    oids = storage.oids(small)
    return [
        RepoFile(
            path=name,
            sha256=sha256,
            size_bytes=size,
            git_oid=pointer_oid(sha256, size) if is_large(name, size) else oids.get(sha256, NO_OID),
        )
        for name, sha256, size in named
    ]

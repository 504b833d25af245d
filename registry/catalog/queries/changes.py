# SPDX-License-Identifier: Apache-2.0
"""Changes to the files of a revision: which files there are after them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assay.signing.errors import InvalidDocument
from assay.signing.manifest import FileEntry, Manifest

from ..errors import CommitRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A file is this blob from now on."""

    file: FileEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """A file is there no longer, or, of a folder, all that is below it."""

    name: str
    is_folder: bool = False


Change = Put | Remove


def applied(before: Manifest | None, changes: Iterable[Change]) -> Manifest:
    """The files after the changes, made in their order; raises CommitRefused."""
    files = {file.name: file for file in before.files} if before else {}
    for change in changes:
        match change:
            case Put(file=file):
                files[file.name] = file
            case Remove():
                for name in _removed(files, change):
                    del files[name]
    _expect(files, "at least one file to be left")
    try:
        return Manifest.of(files.values())
    except InvalidDocument as error:
        raise CommitRefused(str(error)) from error


def _removed(files: Iterable[str], change: Remove) -> list[str]:
    if not change.is_folder:
        found = [name for name in files if name == change.name]
        _expect(found, f"a file {change.name[:120]!r}")
        return found
    below = f"{change.name.rstrip('/')}/"
    found = [name for name in files if name.startswith(below)]
    _expect(found, f"files in a folder {change.name[:120]!r}")
    return found


def _expect(found: object, expected: str) -> None:
    if not found:
        raise CommitRefused(f"expected {expected}, found none")

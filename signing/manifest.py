# SPDX-License-Identifier: Apache-2.0
"""The ordered list of files that is a checkpoint or a dataset; its digest is the thing's id.

Decides which file names exist at all: a name that passes here can be joined to a folder on any
system without leaving it. Where files are kept, and in which formats, is left to others.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from . import canonical, hashing
from .digests import sha256
from .errors import InvalidDocument
from .values import dataclass

MANIFEST_V1 = "https://assay/manifest/v1"
SIGNATURE_NAME = "model.sig"
SIGSTORE_NAME = "model.sigstore.json"
SIGNATURE_NAMES = (SIGNATURE_NAME, SIGSTORE_NAME)  # beside the files, and none of them
MAX_FILES = 10_000
MAX_NAME_BYTES = 1024
MAX_SEGMENT_BYTES = 255  # NAME_MAX of every file system in common use

# Windows' separator, and marks that let a name read otherwise than it is spelt (UAX 9, 2.1–2.6).
_FORBIDDEN = frozenset("\\\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DRIVE = re.compile(r"[A-Za-z]:")  # joined to a path, `c:x` starts anew on Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file: its relative name, digest, and size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How the files at hand differ from those of a manifest, by name."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.extra)

    def in_words(self) -> str:
        """The differences as a message shows them."""
        kinds = {"changed": self.changed, "missing": self.missing, "extra": self.extra}
        return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Files in the order of their names. An invalid manifest cannot be made."""

    files: tuple[FileEntry, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.files) <= MAX_FILES:
            raise InvalidDocument("files", f"1 to {MAX_FILES} entries", str(len(self.files)))
        names = [entry.name for entry in self.files]
        for position, name in enumerate(names):
            with canonical.within(f"files[{position}]"):
                check_name(name)
        if names != sorted(names):
            raise InvalidDocument("files", "entries sorted by name", "another order")
        _check_apart(names)

    @classmethod
    def of(cls, entries: Iterable[FileEntry]) -> Self:
        """The manifest of entries given in any order."""
        return cls(files=tuple(sorted(entries, key=lambda entry: entry.name)))

    @classmethod
    def of_folder(cls, path: Path, *, ignore: frozenset[str] = frozenset()) -> Self:
        """Hash every regular file below a folder, but for `ignore` and the signatures beside them.

        `ignore` holds relative names of files, or of folders with all that is in them. A link or
        special file is refused: what it points to is not part of the folder.
        """
        pieces = folder_pieces(path, ignore=ignore)
        # The large ones first: then the small ones keep every core busy until the end.
        largest_first = sorted(pieces, key=lambda piece: -piece.file_bytes)
        return cls.of(
            FileEntry(name=piece.name, sha256=digest, size=piece.file_bytes)
            for piece, (digest,) in hashing.digests(largest_first)
        )

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the JSON form (docs/spec/formats.md, section 1)."""
        obj = canonical.as_mapping(value, "manifest")
        canonical.only(obj, "type", "files")
        canonical.literal(obj, "type", MANIFEST_V1)
        return cls(files=tuple(_parse_files(canonical.items(obj, "files", maximum=MAX_FILES))))

    def to_json(self) -> dict[str, object]:
        """The JSON form, before canonicalisation."""
        files = [{"name": f.name, "sha256": f.sha256, "size": f.size} for f in self.files]
        return {"type": MANIFEST_V1, "files": files}

    def canonical(self) -> bytes:
        """The bytes that the id is the digest of."""
        return canonical.dumps(self.to_json())

    @property
    def id(self) -> str:
        """The checkpoint's or dataset's id."""
        return sha256(self.canonical())

    @property
    def size_bytes(self) -> int:
        """The size of all files together."""
        return sum(entry.size for entry in self.files)

    def differences(self, observed: Manifest) -> Differences:
        """How the files at hand differ from these."""
        signed = {entry.name: entry for entry in self.files}
        found = {entry.name: entry for entry in observed.files}
        return Differences(
            changed=tuple(n for n, entry in signed.items() if n in found and found[n] != entry),
            missing=tuple(name for name in signed if name not in found),
            extra=tuple(name for name in found if name not in signed),
        )


def folder_pieces(path: Path, *, ignore: frozenset[str] = frozenset()) -> list[hashing.Piece]:
    """The files that `Manifest.of_folder` hashes: whole, with their names. OSError."""
    found: list[hashing.Piece] = []
    for entry, name in _walk(path, "", ignore | {*SIGNATURE_NAMES}):
        if len(found) == MAX_FILES:
            raise InvalidDocument("files", f"1 to {MAX_FILES} entries", "more")
        if not entry.is_file(follow_symlinks=False):
            raise InvalidDocument(ascii(name), "a regular file", "a link or special file")
        check_name(name)
        found.append(hashing.Piece.whole(Path(entry.path), name))
    return found


def check_name(name: str) -> None:
    """Refuse a name that is not a plain relative path (docs/spec/formats.md, section 1)."""
    reason = _fault(name)
    if reason is not None:
        shown = ascii(name[: canonical.FOUND_CHARACTERS])
        raise InvalidDocument("name", "a relative path in NFC", f"{shown} ({reason})")


def _fault(name: str) -> str | None:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        return "a control character or half a surrogate pair"
    if not _FORBIDDEN.isdisjoint(name):
        return "a backslash or a bidirectional formatting character"
    if not unicodedata.is_normalized("NFC", name):
        return "not in NFC"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"over {MAX_NAME_BYTES} bytes"
    segments = name.split("/")
    if segments[0].casefold() in SIGNATURE_NAMES:
        return "reserved for the signature"
    return next((fault for segment in segments if (fault := _segment_fault(segment))), None)


def _segment_fault(segment: str) -> str | None:
    if segment in {"", ".", ".."}:
        return "an empty, `.` or `..` segment"
    if _DRIVE.match(segment):
        return "a drive colon"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"a segment over {MAX_SEGMENT_BYTES} bytes"
    return None


def _check_apart(names: list[str]) -> None:
    """Refuse names that are one on a file system that folds case, and a file that is a folder."""
    folded: dict[str, str] = {}
    for name in names:
        if (twin := folded.get(name.casefold())) is not None:
            raise InvalidDocument("files", f"no other name like {twin!a}", ascii(name))
        folded[name.casefold()] = name
    for name in names:
        parts = name.casefold().split("/")
        for end in range(1, len(parts)):
            if (file := folded.get("/".join(parts[:end]))) is not None:
                raise InvalidDocument("files", f"nothing below file {file!a}", ascii(name))


def _parse_files(values: Iterable[object]) -> Iterator[FileEntry]:
    for position, value in enumerate(values):
        with canonical.within(f"files[{position}]"):
            obj = canonical.as_mapping(value, "entry")
            canonical.only(obj, "name", "sha256", "size")
            yield FileEntry(
                name=canonical.text(obj, "name"),
                sha256=canonical.sha256_hex(obj, "sha256"),
                size=canonical.integer(obj, "size"),
            )


def _walk(
    folder: Path, prefix: str, ignored: frozenset[str]
) -> Iterator[tuple[os.DirEntry[str], str]]:
    with os.scandir(folder) as found:
        for entry in found:
            name = prefix + entry.name
            if name in ignored:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(folder / entry.name, f"{name}/", ignored)
            else:
                yield entry, name

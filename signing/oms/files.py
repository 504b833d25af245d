# SPDX-License-Identifier: Apache-2.0
"""A model's files: listed and hashed for signing, and compared with what was signed.

No name that somebody signed is followed out of the model, and no link unless the statement was made
by following them (specification, sections 6.1 to 6.3 and 8.4).
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from ..digests import CHUNK_BYTES
from ..errors import FileMismatch, InvalidDocument
from ..manifest import Differences
from .manifest import (
    DEFAULT_IGNORED,
    WHOLE_MODEL,
    Hash,
    Method,
    ModelManifest,
    Serialization,
    check_ignored,
    check_path,
    shard_name,
)


def hash_model(model: Path, *, ignored: Iterable[Path] = ()) -> ModelManifest:
    """List and hash a folder, or a single file, as we sign it: whole files, SHA-256, no links.

    `ignored` are paths in the model, absolute or relative to it; others are passed over.
    """
    found = tuple(sorted(set(_within(model, ignored))))
    for path in found:
        check_ignored(path)
    serialization = Serialization(ignored=found)
    digests: dict[str, str] = {}
    for path in _listed(model, serialization, frozenset(found)):
        check_path(path)
        digests.update(_entries(model if model.is_file() else model / path, path, serialization))
    if not digests:
        raise InvalidDocument("model", "at least one file", "none")
    return ModelManifest(
        name=model.name or model.resolve().name, serialization=serialization, digests=digests
    )


def check_model(
    model: Path,
    signed: ModelManifest,
    *,
    ignored: Iterable[Path] = (),
    allows_unsigned: bool = False,
) -> None:
    """Raise `FileMismatch` unless a model's files are those that were signed (section 8.4).

    1. Every signed file is there, with every signed digest.
    2. There is no other, but for the ignored ones and where unsigned files are allowed.
    """
    entries = signed.by_path()
    changed: list[str] = []
    missing: list[str] = []
    for path, expected in sorted(entries.items()):  # 1
        file = _file(model, path, signed.serialization)
        if file is None:
            missing.append(path)
        elif _entries(file, path, signed.serialization) != expected:
            changed.append(path)
    extra: list[str] = []
    if not allows_unsigned:  # 2
        extra = sorted(_unsigned(model, signed, ignored) - entries.keys())
    differences = Differences(changed=tuple(changed), missing=tuple(missing), extra=tuple(extra))
    if differences:
        raise FileMismatch(f"expected the files that were signed; {differences.in_words()}")


def _unsigned(model: Path, signed: ModelManifest, ignored: Iterable[Path]) -> set[str]:
    """The files that are there and not ignored; where shards were signed, those with bytes."""
    serialization = signed.serialization
    passed_over = {*serialization.ignored, *_within(model, ignored)}
    if model.is_file():
        return set()
    listed = _listed(model, serialization, frozenset(passed_over))
    if serialization.method is Method.FILES:
        return set(listed)
    return {path for path in listed if (model / path).stat().st_size}


def _listed(model: Path, serialization: Serialization, ignored: frozenset[str]) -> Iterator[str]:
    """The model's files: below a folder, or the one that it is."""
    if model.is_file():
        yield model.name
        return
    passed_over = ignored | frozenset(DEFAULT_IGNORED)
    above = (model.resolve(),)
    yield from _walk(model, "", passed_over, above if serialization.follows_links else ())


def _walk(
    folder: Path, prefix: str, ignored: frozenset[str], above: tuple[Path, ...]
) -> Iterator[str]:
    """`above` are the folders on the way here, as they really are; none if links are refused."""
    with os.scandir(folder) as found:
        for entry in found:
            name = prefix + entry.name
            if name in ignored:
                continue
            if entry.is_dir(follow_symlinks=bool(above)):
                inner = folder / entry.name
                deeper = _deeper(inner, above) if above else ()
                yield from _walk(inner, f"{name}/", ignored, deeper)
            elif entry.is_file(follow_symlinks=bool(above)):
                yield name
            else:
                raise InvalidDocument(ascii(name), "a regular file", "a link or special file")


def _deeper(folder: Path, above: tuple[Path, ...]) -> tuple[Path, ...]:
    real = folder.resolve()
    if real in above:
        raise InvalidDocument(ascii(folder.name), "links without a circle", "one to a folder above")
    return (*above, real)


def _file(model: Path, path: str, serialization: Serialization) -> Path | None:
    """Where a signed file is; none if it is not there, or only through a link."""
    if model.is_file():
        return model if path in {WHOLE_MODEL, model.name} else None
    place = model
    for segment in path.split("/"):
        place /= segment
        if place.is_symlink() and not serialization.follows_links:
            return None
    return place if place.is_file() else None


def _entries(file: Path, path: str, serialization: Serialization) -> dict[str, str]:
    """A file's entries: one, or one for each range of `shard_bytes`."""
    with file.open("rb") as stream:
        if serialization.shard_bytes is None:
            return {path: _digest(stream, serialization.hash)}
        found: dict[str, str] = {}
        size_bytes = os.fstat(stream.fileno()).st_size
        for start in range(0, size_bytes, serialization.shard_bytes):
            end = min(start + serialization.shard_bytes, size_bytes)
            digest = _digest(stream, serialization.hash, end - start)
            found[shard_name(path, start, end)] = digest
        return found


def _digest(stream: IO[bytes], kind: Hash, left_bytes: int | None = None) -> str:
    """The digest of what is left of a stream, or of its next bytes."""
    hasher = hashlib.sha256() if kind is Hash.SHA256 else hashlib.blake2b()
    left = sys.maxsize if left_bytes is None else left_bytes
    while left and (chunk := stream.read(min(left, CHUNK_BYTES))):
        hasher.update(chunk)
        left -= len(chunk)
    return hasher.hexdigest()


def _within(model: Path, paths: Iterable[Path]) -> Iterator[str]:
    """The paths that are in a model, relative to it."""
    top = model.resolve()
    for path in paths:
        given = top / path
        real = given.parent.resolve() / given.name  # a link is passed over, not what it points to
        if real != top and real.is_relative_to(top):
            yield real.relative_to(top).as_posix()

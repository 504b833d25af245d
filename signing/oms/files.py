# SPDX-License-Identifier: Apache-2.0
"""A model's files: listed and hashed for signing, and compared with what was signed.

Neither a name that somebody signed nor a link is followed out of the model, and no link at all
unless the statement was made by following them (specification, sections 6.1 to 6.3 and 8.4).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from .. import hashing
from ..errors import FileMismatch, InvalidDocument
from ..manifest import Differences
from .manifest import (
    DEFAULT_IGNORED,
    WHOLE_MODEL,
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
    pieces: list[hashing.Piece] = []
    for path in _listed(model, serialization, frozenset(found)):
        check_path(path)
        # Who names a link to a single file means that file.
        file = model.resolve() if model.is_file() else model / path
        pieces += _pieces(file, path, serialization)
    digests = _digests(pieces, serialization)
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
    plain = {model}
    files = {path: _file(model, path, signed.serialization, plain) for path in sorted(entries)}  # 1
    missing = [path for path, file in files.items() if file is None]
    found = {path: file for path, file in files.items() if file is not None}
    changed = sorted(_changed(found, signed))
    extra: list[str] = []
    if not allows_unsigned:  # 2
        extra = sorted(_unsigned(model, signed, ignored) - entries.keys())
    differences = Differences(changed=tuple(changed), missing=tuple(missing), extra=tuple(extra))
    if differences:
        raise FileMismatch(f"expected the files that were signed; {differences.in_words()}")


def _changed(files: Mapping[str, Path], signed: ModelManifest) -> set[str]:
    """Those of these files that have other entries than the signed ones."""
    entries = signed.by_path()
    changed: set[str] = set()
    pieces: list[hashing.Piece] = []
    for path, file in files.items():
        found = _pieces(file, path, signed.serialization, most=len(entries[path]))
        if {piece.name for piece in found} == entries[path].keys():
            pieces += found
        else:
            changed.add(path)  # another size: its bytes need not be read
    digests = _digests(pieces, signed.serialization)
    differing = {name for name, digest in digests.items() if signed.digests[name] != digest}
    return changed | {path for path, expected in entries.items() if differing & expected.keys()}


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
                if above and entry.is_symlink():
                    _check_within(folder / entry.name, above[0])
                yield name
            else:
                raise InvalidDocument(ascii(name), "a regular file", "a link or special file")


def _deeper(folder: Path, above: tuple[Path, ...]) -> tuple[Path, ...]:
    real = _check_within(folder, above[0])
    if real in above:
        raise InvalidDocument(ascii(folder.name), "links without a circle", "one to a folder above")
    return (*above, real)


def _check_within(path: Path, top: Path) -> Path:
    """Where a path really is, which is below `top` (section 6.1.1)."""
    real = path.resolve()
    if not real.is_relative_to(top):
        raise InvalidDocument(ascii(path.name), "a link within the model", "one that leads out")
    return real


def _file(model: Path, path: str, serialization: Serialization, plain: set[Path]) -> Path | None:
    """Where a signed file is; none if it is not there, or only through a link.

    `plain` are the folders known to be no links: of ten thousand files most are in the same ones.
    """
    if model.is_file():
        return model.resolve() if path in {WHOLE_MODEL, model.name} else None
    place = model / path
    if serialization.follows_links:
        if not place.is_file():
            return None
        _check_within(place, model.resolve())
        return place
    if not _is_plain(place.parent, plain):
        return None
    return place if place.is_file() and not place.is_symlink() else None


def _is_plain(folder: Path, plain: set[Path]) -> bool:
    """Whether neither a folder nor one above it, within the model, is a link."""
    if folder in plain:
        return True
    if not _is_plain(folder.parent, plain) or folder.is_symlink():
        return False
    plain.add(folder)
    return True


def _pieces(
    file: Path, path: str, serialization: Serialization, *, most: int = 1
) -> list[hashing.Piece]:
    """A file's entries before they are hashed: one, or one for each range of `shard_bytes`.

    Of more than `most` ranges no more than one too many is listed: a statement that somebody signed
    may ask for ranges of one byte.
    """
    whole = hashing.Piece.whole(file, path, follows_links=serialization.follows_links)
    if serialization.shard_bytes is None:
        return [whole]
    size_bytes = whole.file_bytes
    starts = range(0, size_bytes, serialization.shard_bytes)[: most + 1]
    ends = (min(start + serialization.shard_bytes, size_bytes) for start in starts)
    return [
        replace(whole, name=shard_name(path, start, end), start=start, end=end)
        for start, end in zip(starts, ends, strict=True)
    ]


def _digests(pieces: Iterable[hashing.Piece], serialization: Serialization) -> dict[str, str]:
    largest_first = sorted(pieces, key=lambda piece: piece.start - piece.end)
    hashed = hashing.digests(largest_first, (serialization.hash.value,))
    return {piece.name: digest for piece, (digest,) in hashed}


def _within(model: Path, paths: Iterable[Path]) -> Iterator[str]:
    """The paths that are in a model, relative to it."""
    top = model.resolve()
    for path in paths:
        given = top / path
        real = given.parent.resolve() / given.name  # a link is passed over, not what it points to
        if real != top and real.is_relative_to(top):
            yield real.relative_to(top).as_posix()

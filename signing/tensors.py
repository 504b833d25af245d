# SPDX-License-Identifier: Apache-2.0
"""The tensors in a checkpoint's safetensors files, each with the digest of its bytes.

All of them in order are a list, and its SHA-256 is what the checkpoint's statement names
(docs/spec/formats.md, section 1). Only a header is read here; whether types and shapes take as
many bytes as there are, and what the values are, is left to others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from . import canonical, hashing
from .errors import InvalidDocument
from .values import dataclass

ENDING = ".safetensors"
LENGTH_BYTES = 8
MAX_HEADER_BYTES = 25_000_000  # what the Hugging Face Hub's clients read
MAX_HEADER_DEPTH = 3  # header → tensor → shape
MAX_TENSORS = 100_000  # of a file; the largest open models have about 90,000
MAX_NAME_CHARACTERS = 4096
MAX_DIMENSIONS = 16
MAX_TYPE_CHARACTERS = 20
# Of a list within evidence, which is one document of 8 MiB: some 0.7 MiB. A longer one is named
# by its digest all the same; who has the files makes it anew.
MAX_STATED = 4096
MAX_SHOWN = 5
_METADATA = "__metadata__"
_FIELDS = ("dtype", "shape", "data_offsets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where in a file a tensor's bytes are: from `start`, up to but not including `end`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorEntry:
    """One tensor of one file."""

    file: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def place(self) -> tuple[str, str]:
        """What it is sorted by, and called in messages."""
        return self.file, self.name

    def to_json(self) -> dict[str, object]:
        """The JSON form, before canonicalisation."""
        return {
            "file": self.file,
            "name": self.name,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorList:
    """Tensors in the order of their files' names, then their own. No two have the same place."""

    entries: tuple[TensorEntry, ...]

    def __post_init__(self) -> None:
        places = [entry.place for entry in self.entries]
        if places != sorted(set(places)):
            raise InvalidDocument("tensors", "tensors sorted by file and name", "another order")

    @classmethod
    def of(cls, entries: Iterable[TensorEntry]) -> Self:
        """The list of entries given in any order."""
        return cls(entries=tuple(sorted(entries, key=lambda entry: entry.place)))

    @classmethod
    def parse(cls, values: Iterable[object]) -> Self:
        """Read the JSON form, an array."""
        return cls(entries=tuple(_entry(at, value) for at, value in enumerate(values)))

    def lines(self) -> Iterator[bytes]:
        """The list's bytes, a tensor on a line."""
        return (canonical.dumps(entry.to_json()) + b"\n" for entry in self.entries)

    @property
    def sha256(self) -> str:
        """The digest that a checkpoint's statement names."""
        hasher = hashlib.sha256()
        for line in self.lines():
            hasher.update(line)
        return hasher.hexdigest()

    def differences(self, observed: TensorList) -> str:
        """How the tensors at hand differ from these, in words; empty if they do not."""
        signed = {entry.place: entry for entry in self.entries}
        found = {entry.place: entry for entry in observed.entries}
        kinds = {
            "changed": [at for at, each in signed.items() if at in found and found[at] != each],
            "missing": [at for at in signed if at not in found],
            "extra": [at for at in found if at not in signed],
        }
        return "; ".join(f"{kind}: {_named(places)}" for kind, places in kinds.items() if places)


def is_listed(name: str) -> bool:
    """Whether the tensors of a file of this name are listed."""
    return name.lower().endswith(ENDING)


def of_folder(folder: Path, names: Iterable[str]) -> TensorList:
    """Hash the tensors of those of these files that have any. OSError.

    What is not there, or no such file by now, has none: that the file is another one is said by
    its own digest.
    """
    found: list[TensorEntry] = []
    for name in names:
        if is_listed(name):
            try:
                found.extend(of_file(folder / name, name))
            except (InvalidDocument, FileNotFoundError):
                continue
    return TensorList.of(found)


def of_file(path: Path, name: str) -> Iterator[TensorEntry]:
    """Each tensor of a file, hashed on every core. OSError, InvalidDocument."""
    return hashed(path, name, spans(path))


def hashed(path: Path, name: str, found: Sequence[Span]) -> Iterator[TensorEntry]:
    """The same of these tensors of the file alone."""
    size_bytes = path.stat(follow_symlinks=False).st_size
    pieces = (
        hashing.Piece(path=path, name=name, file_bytes=size_bytes, start=span.start, end=span.end)
        for span in found
    )
    for span, (_, (digest,)) in zip(found, hashing.digests(pieces), strict=True):
        yield TensorEntry(
            file=name, name=span.name, dtype=span.dtype, shape=span.shape, sha256=digest
        )


def spans(path: Path) -> tuple[Span, ...]:
    """Where each tensor of a safetensors file is, by name, as its header says. OSError.

    1. The header's length is within the limit and within the file.
    2. The header is one strict JSON object.
    3. The tensors lie end to end up to the file's last byte, so that each byte is one tensor's.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        if not 0 < length <= min(MAX_HEADER_BYTES, size_bytes - LENGTH_BYTES):  # 1
            raise InvalidDocument("header", "a length within the file and the limit", f"{length}")
        content = file.read(length)
    loaded = canonical.loads(content, max_bytes=MAX_HEADER_BYTES, max_depth=MAX_HEADER_DEPTH)
    header = canonical.as_mapping(loaded, "header")  # 2
    tensors = {name: value for name, value in header.items() if name != _METADATA}
    if len(tensors) > MAX_TENSORS:
        raise InvalidDocument("header", f"at most {MAX_TENSORS} tensors", f"{len(tensors)}")
    start = LENGTH_BYTES + length
    found = [_span(name, value, start) for name, value in sorted(tensors.items())]
    _check_end_to_end(found, start, size_bytes)  # 3
    return tuple(found)


def _span(name: str, value: object, start: int) -> Span:
    with canonical.within(ascii(name[: canonical.FOUND_CHARACTERS])):
        obj = canonical.as_mapping(value, "tensor")
        canonical.only(obj, *_FIELDS)
        begin, end = _numbers(obj, "data_offsets", of=2)
        return Span(
            name=canonical.text({"name": name}, "name", max_characters=MAX_NAME_CHARACTERS),
            dtype=canonical.text(obj, "dtype", max_characters=MAX_TYPE_CHARACTERS),
            shape=_numbers(obj, "shape"),
            start=start + begin,
            end=start + end,
        )


def _check_end_to_end(found: list[Span], start: int, size_bytes: int) -> None:
    at = start
    for span in sorted(found, key=lambda each: (each.start, each.end)):
        if span.start != at or span.end < at:
            raise InvalidDocument(ascii(span.name[:80]), f"a tensor from {at} on", f"{span.start}")
        at = span.end
    if at != size_bytes:
        raise InvalidDocument("tensors", f"tensors up to {size_bytes}", f"tensors up to {at}")


def _entry(position: int, value: object) -> TensorEntry:
    with canonical.within(f"tensors[{position}]"):
        obj = canonical.as_mapping(value, "tensor")
        canonical.only(obj, "file", "name", "dtype", "shape", "sha256")
        return TensorEntry(
            file=canonical.text(obj, "file"),
            name=canonical.text(obj, "name", max_characters=MAX_NAME_CHARACTERS),
            dtype=canonical.text(obj, "dtype", max_characters=MAX_TYPE_CHARACTERS),
            shape=_numbers(obj, "shape"),
            sha256=canonical.sha256_hex(obj, "sha256"),
        )


def _numbers(obj: Mapping[str, object], field: str, *, of: int | None = None) -> tuple[int, ...]:
    values = canonical.items(obj, field, maximum=of or MAX_DIMENSIONS)
    if of is not None and len(values) != of:
        raise InvalidDocument(field, f"{of} numbers", f"{len(values)}")
    return tuple(canonical.integer({field: value}, field) for value in values)


def _named(places: list[tuple[str, str]]) -> str:
    shown = ", ".join(f"{name!a} of {file}" for file, name in places[:MAX_SHOWN])
    more = len(places) - MAX_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown

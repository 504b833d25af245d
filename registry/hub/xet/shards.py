# SPDX-License-Identifier: Apache-2.0
"""Reads a shard: which ranges of which xorbs make which files, held to the format and to limits.

The part about xorbs is passed over: what is in a xorb was computed when it came.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from registry.storage.upload import MAX_BLOB_BYTES

from . import hashes
from .errors import InvalidShard
from .hashes import HASH_BYTES

MAX_SHARD_BYTES = 64 * 1024 * 1024  # the specification's: clients make several of more
MAX_FILES = 10_000  # as many as a checkpoint may have
# The largest blob in ranges of half a MiB; clients avoid shorter ones.
MAX_TERMS = 131_072
TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
VERSION = 2
RECORD_BYTES = 48
BOOKEND = b"\xff" * HASH_BYTES + bytes(RECORD_BYTES - HASH_BYTES)
# A file comes with a proof for each range, and with its SHA-256.
FLAGS = (1 << 31) | (1 << 30)
READ_BYTES = 1024 * 1024
_HEAD = struct.Struct("<32sQQ")
_RECORD = struct.Struct("<32s4I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A range of a xorb's chunks, which a file goes on with."""

    xorb: bytes
    first: int
    end: int
    size_bytes: int
    proof: bytes
    """What only somebody computes who knows the chunks' hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFile:
    """A file; its terms stay packed, because a large one has many."""

    sha256: str
    size_bytes: int
    packed_terms: bytes
    packed_proofs: bytes

    def terms(self) -> Iterator[Term]:
        """In the order in which they make the file."""
        proofs = _RECORD.iter_unpack(self.packed_proofs)
        for term, (proof, *_) in zip(_RECORD.iter_unpack(self.packed_terms), proofs, strict=True):
            xorb, _, size_bytes, first, end = term
            yield Term(xorb=xorb, first=first, end=end, size_bytes=size_bytes, proof=proof)


def read(source: BinaryIO) -> tuple[ShardFile, ...]:
    """The files of a shard; raises InvalidShard."""
    tag, version, footer_bytes = _HEAD.unpack(_exactly(source, _HEAD.size))
    if tag != TAG or version != VERSION:
        raise InvalidShard(f"expected a shard of version {VERSION}, found something else")
    files = tuple(_files(source))
    _pass_over_xorbs(source)
    if source.read(1) and not footer_bytes:
        raise InvalidShard("expected the end of the shard, found more")
    return files


def _files(source: BinaryIO) -> Iterator[ShardFile]:
    terms_left = MAX_TERMS
    for count in range(MAX_FILES + 1):
        head = _exactly(source, RECORD_BYTES)
        if head == BOOKEND:
            return
        _, flags, terms, *_ = _RECORD.unpack(head)
        if flags != FLAGS:
            raise InvalidShard(
                f"file {count}: expected proofs and a SHA-256 (flags {FLAGS:#x}), found {flags:#x}"
            )
        terms_left -= terms
        if terms_left < 0:
            raise InvalidShard(f"expected at most {MAX_TERMS} ranges, found more")
        yield _file(source, count, terms)
    raise InvalidShard(f"expected at most {MAX_FILES} files, found more")


def _file(source: BinaryIO, count: int, terms: int) -> ShardFile:
    packed_terms = _exactly(source, terms * RECORD_BYTES)
    packed_proofs = _exactly(source, terms * RECORD_BYTES)
    sha256, *_ = _RECORD.unpack(_exactly(source, RECORD_BYTES))
    size_bytes = 0
    for _, flags, length, first, end in _RECORD.iter_unpack(packed_terms):
        if flags or not length or first >= end:
            raise InvalidShard(
                f"file {count}: expected a range of chunks with bytes in it, found {length} bytes "
                f"in {first} to {end}"
            )
        size_bytes += length
    if size_bytes > MAX_BLOB_BYTES:
        raise InvalidShard(f"file {count}: expected at most {MAX_BLOB_BYTES} bytes, found more")
    return ShardFile(
        sha256=hashes.written(sha256),
        size_bytes=size_bytes,
        packed_terms=packed_terms,
        packed_proofs=packed_proofs,
    )


def _pass_over_xorbs(source: BinaryIO) -> None:
    while (head := _exactly(source, RECORD_BYTES)) != BOOKEND:
        _, _, chunks, *_ = _RECORD.unpack(head)
        left = chunks * RECORD_BYTES
        while left:
            left -= len(_exactly(source, min(left, READ_BYTES)))


def _exactly(source: BinaryIO, size_bytes: int) -> bytes:
    if size_bytes > MAX_SHARD_BYTES:
        raise InvalidShard(f"expected at most {MAX_SHARD_BYTES} bytes, found more announced")
    content = source.read(size_bytes)
    if len(content) != size_bytes:
        raise InvalidShard(f"expected {size_bytes} more bytes of the shard, found {len(content)}")
    return content

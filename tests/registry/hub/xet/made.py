# SPDX-License-Identifier: Apache-2.0
"""Xorbs and shards, honest and otherwise, written byte by byte as clients do."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from lz4 import frame

from registry.hub.xet import hashes
from registry.hub.xet.shards import BOOKEND, FLAGS, TAG, VERSION
from registry.hub.xet.xorbs import Scheme

RECORD = struct.Struct("<32s4I")


def chunk(content: bytes, scheme: int = Scheme.PLAIN, *, said: int | None = None) -> bytes:
    """A chunk with its header; `said` is how long it claims to be."""
    match scheme:
        case Scheme.LZ4:
            packed = frame.compress(content)
        case Scheme.GROUPED_LZ4:
            packed = frame.compress(b"".join(content[place::4] for place in range(4)))
        case _:
            packed = content
    return framed(packed, scheme, len(content) if said is None else said)


def framed(packed: bytes, scheme: int, size_bytes: int, *, version: int = 0) -> bytes:
    """Bytes behind a header."""
    length = len(packed).to_bytes(3, "little")
    head = bytes([version]) + length + bytes([scheme]) + size_bytes.to_bytes(3, "little")
    return head + packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Xorb:
    """Some chunks."""

    contents: tuple[bytes, ...]

    @property
    def hash(self) -> bytes:
        """What it is called."""
        return hashes.of_tree([(hashes.of_chunk(each), len(each)) for each in self.contents])

    @property
    def name(self) -> str:
        """The same as addresses have it."""
        return hashes.written(self.hash)

    @property
    def packed(self) -> bytes:
        """As it is sent."""
        return b"".join(chunk(content) for content in self.contents)

    def term(self, first: int, end: int) -> Term:
        """An honest range of it."""
        some = self.contents[first:end]
        return Term(
            xorb=self.hash,
            size_bytes=sum(map(len, some)),
            first=first,
            end=end,
            proof=hashes.of_range(b"".join(map(hashes.of_chunk, some))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A range, as a shard says it."""

    xorb: bytes
    size_bytes: int
    first: int
    end: int
    proof: bytes
    flags: int = 0


def xorb(*contents: bytes) -> Xorb:
    """A xorb of these chunks."""
    return Xorb(contents=contents)


def file(sha256: str, terms: Sequence[Term], *, flags: int = FLAGS) -> bytes:
    """A file's part of a shard."""
    parts = [RECORD.pack(b"f" * 32, flags, len(terms), 0, 0)]
    parts += [RECORD.pack(t.xorb, t.flags, t.size_bytes, t.first, t.end) for t in terms]
    parts += [RECORD.pack(t.proof, 0, 0, 0, 0) for t in terms]
    parts.append(RECORD.pack(hashes.read(sha256), 0, 0, 0, 0))
    return b"".join(parts)


def of(content: bytes, *terms: Term) -> bytes:
    """A file that is these bytes."""
    return file(hashlib.sha256(content).hexdigest(), terms)


def shard(*files: bytes, xorbs: bytes = b"", version: int = VERSION, footer: bytes = b"") -> bytes:
    """A shard with these files; what it says of xorbs is passed over."""
    head = struct.pack("<32sQQ", TAG, version, len(footer))
    return head + b"".join(files) + BOOKEND + xorbs + BOOKEND + footer

# SPDX-License-Identifier: Apache-2.0
"""Cuts a file into pieces and hashes each, for three readers at once.

Metalink (RFC 5854) wants the SHA-256 of each piece, BitTorrent (BEP 3) the SHA-1, and its second
version (BEP 52) a tree of SHA-256 over blocks of 16 KiB, of which a piece is a whole subtree.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 16 * 1024  # BEP 52
MIN_PIECE_BYTES = 256 * 1024
MAX_PIECES = 2048  # 150 kB of Metalink; of the largest file that there may be, 32 MiB each
NOTHING = bytes(32)  # BEP 52's hash of a block behind the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A file's pieces; digests stand one after the other, without anything between them."""

    sha256: str
    size_bytes: int
    piece_bytes: int
    sha256s: bytes
    sha1s: bytes
    layer: bytes
    """The roots of the pieces' subtrees."""
    root: bytes
    """Of the tree over the whole file."""


def piece_bytes_of(size_bytes: int) -> int:
    """A power of two that makes no more pieces than there may be."""
    found = MIN_PIECE_BYTES
    while found * MAX_PIECES < size_bytes:
        found *= 2
    return found


def cut(file: BinaryIO, size_bytes: int) -> Cut:
    """Read the file once, a piece in memory at a time."""
    piece_bytes = piece_bytes_of(size_bytes)
    whole, sha256s, sha1s, layer = hashlib.sha256(), bytearray(), bytearray(), []
    is_one = size_bytes <= piece_bytes
    while piece := _read(file, piece_bytes):
        whole.update(piece)
        sha256s += hashlib.sha256(piece).digest()
        sha1s += hashlib.sha1(piece, usedforsecurity=False).digest()
        blocks = [hashlib.sha256(block).digest() for block in _blocks(piece)]
        # A file that is one piece has no layer of pieces: its tree is as high as its blocks need.
        layer.append(tree(blocks, len(blocks) if is_one else piece_bytes // BLOCK_BYTES, NOTHING))
    filling = tree([], piece_bytes // BLOCK_BYTES, NOTHING)
    return Cut(
        sha256=whole.hexdigest(),
        size_bytes=size_bytes,
        piece_bytes=piece_bytes,
        sha256s=bytes(sha256s),
        sha1s=bytes(sha1s),
        layer=b"".join(layer),
        root=tree(layer, len(layer), filling),
    )


def tree(leaves: list[bytes], width: int, filling: bytes) -> bytes:
    """The root over at least `width` leaves; what is missing to a power of two is filled up."""
    count = 1
    while count < width:
        count *= 2
    level = [*leaves, *[filling] * (count - len(leaves))]
    while len(level) > 1:
        level = [
            hashlib.sha256(level[at] + level[at + 1]).digest() for at in range(0, len(level), 2)
        ]
    return level[0]


def _read(file: BinaryIO, count: int) -> bytes:
    """So many bytes, but at the end: a read may give fewer."""
    found = bytearray()
    while len(found) < count and (chunk := file.read(count - len(found))):
        found += chunk
    return bytes(found)


def _blocks(piece: bytes) -> list[memoryview]:
    view = memoryview(piece)
    return [view[at : at + BLOCK_BYTES] for at in range(0, len(piece), BLOCK_BYTES)]

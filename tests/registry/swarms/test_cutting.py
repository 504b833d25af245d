# SPDX-License-Identifier: Apache-2.0
"""Pieces of a file: as BEP 3 and BEP 52 define them, written here a second time and plainly."""

from __future__ import annotations

import hashlib
import io

import pytest

from registry.swarms.cutting import BLOCK_BYTES, MAX_PIECES, MIN_PIECE_BYTES, cut, piece_bytes_of
from registry.swarms.documents import Bencoded, bencode


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def root(hashes: list[bytes]) -> bytes:
    """Over a power of two of hashes."""
    if len(hashes) == 1:
        return hashes[0]
    half = len(hashes) // 2
    return sha256(root(hashes[:half]) + root(hashes[half:]))


def root_of(content: bytes) -> bytes:
    """BEP 52 on the whole file: blocks, then zeros up to a power of two."""
    blocks = [sha256(content[at : at + BLOCK_BYTES]) for at in range(0, len(content), BLOCK_BYTES)]
    count = 1 << (len(blocks) - 1).bit_length()
    return root([*blocks, *[bytes(32)] * (count - len(blocks))])


@pytest.mark.parametrize(
    "size_bytes",
    [
        *(1, BLOCK_BYTES, BLOCK_BYTES + 1, MIN_PIECE_BYTES - 1, MIN_PIECE_BYTES),
        *(MIN_PIECE_BYTES + 1, 2 * MIN_PIECE_BYTES, 5 * MIN_PIECE_BYTES + 17),
    ],
)
def test_every_digest_is_what_its_specification_says(size_bytes: int) -> None:
    content = (b"%d " % size_bytes * size_bytes)[:size_bytes]
    found = cut(io.BytesIO(content), size_bytes)
    assert found.sha256 == sha256(content).hex()
    pieces = [content[at : at + MIN_PIECE_BYTES] for at in range(0, size_bytes, MIN_PIECE_BYTES)]
    assert found.sha256s == b"".join(map(sha256, pieces))
    assert found.sha1s == b"".join(
        hashlib.sha1(piece, usedforsecurity=False).digest() for piece in pieces
    )
    assert found.root == root_of(content)
    if len(pieces) > 1:
        full = [piece.ljust(MIN_PIECE_BYTES, b"\0") for piece in pieces[:-1]]
        assert found.layer[: 32 * len(full)] == b"".join(map(root_of, full))
        assert len(found.layer) == 32 * len(pieces)


def test_a_file_is_read_whole_however_little_a_read_gives() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 1000))

    content = b"x" * (MIN_PIECE_BYTES + 1)
    assert cut(Slow(content), len(content)) == cut(io.BytesIO(content), len(content))


@pytest.mark.parametrize("size_bytes", [1, MIN_PIECE_BYTES * MAX_PIECES + 1, 64 * 1024**3])
def test_there_are_never_too_many_pieces(size_bytes: int) -> None:
    found = piece_bytes_of(size_bytes)
    assert -(-size_bytes // found) <= MAX_PIECES
    assert found.bit_count() == 1


def test_bencoding_is_that_of_the_specification() -> None:
    value: Bencoded = {b"spam": [b"a", b"\xff", 3, -3], b"eggs": {b"": 0}}
    assert bencode(value) == b"d4:eggsd0:i0ee4:spaml1:a1:\xffi3ei-3eee"

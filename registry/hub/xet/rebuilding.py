# SPDX-License-Identifier: Apache-2.0
"""Writes a file out of pieces of blobs, a slice at a time, and compares it with what was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import BinaryIO

from registry.storage import services as storage
from registry.storage.files import Part

from .errors import InvalidShard
from .planning import Build, Piece

READ_BYTES = 1024 * 1024
# In one go: a tenth of a second, after which the thread is another upload's.
SLICE_BYTES = 32 * 1024 * 1024


async def rebuild(build: Build, part: Part) -> AsyncIterator[int]:
    """Writes it, durably, and says how much more of it; raises InvalidShard, NoSpace or BlobLost.

    What was announced is what is compared: the length is the sum of pieces that were checked.
    """
    for some in _slices(build.pieces):
        await asyncio.to_thread(_copy, some, part)
        yield sum(piece.size_bytes for piece in some)
    if part.sha256 != build.sha256:
        raise InvalidShard(
            f"expected a file that is sha256:{build.sha256}, found its ranges to be "
            f"sha256:{part.sha256}"
        )
    await asyncio.to_thread(part.end)


def _slices(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The same bytes, so many at a time."""
    some: list[Piece] = []
    left = SLICE_BYTES
    for piece in pieces:
        at = 0
        while at < piece.size_bytes:
            size_bytes = min(left, piece.size_bytes - at)
            some.append(Piece(piece.sha256, piece.offset + at, size_bytes))
            at, left = at + size_bytes, left - size_bytes
            if not left:
                yield some
                some, left = [], SLICE_BYTES
    if some:
        yield some


def _copy(pieces: Sequence[Piece], part: Part) -> None:
    storage.check_room(sum(piece.size_bytes for piece in pieces))
    for sha256, together in groupby(pieces, key=attrgetter("sha256")):
        with storage.open_blob(sha256) as source:
            for piece in together:
                _copy_piece(source, piece, part)


def _copy_piece(source: BinaryIO, piece: Piece, part: Part) -> None:
    source.seek(piece.offset)
    left = piece.size_bytes
    while left and (content := source.read(min(left, READ_BYTES))):
        part.write(content)
        left -= len(content)

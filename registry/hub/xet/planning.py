# SPDX-License-Identifier: Apache-2.0
"""What a shard's files are made of: which bytes of which blobs, after each claim was checked.

1. The sender has sent each xorb that is named: what others sent does not exist for them.
2. The range is one of its chunks, and has as many bytes as is said.
3. The proof is of these chunks' hashes: whoever sends it knows what is in the range.
4. The chunks are still to be had.
"""

from __future__ import annotations

import functools
import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter

from . import hashes, index
from .errors import InvalidShard, XorbUnknown
from .index import Gained, Known, Placed
from .shards import ShardFile, Term

KEPT_XORBS = 32  # at most 400 KB each
# A file of 50 GB, the largest, is made of some 800; a shard may go to and fro among them a little.
MAX_LOADED_XORBS = 4096
AGAIN = (
    "clients remember what they sent: remove the folder ~/.cache/huggingface/xet (HF_XET_CACHE) "
    "and upload again"
)

Look = Callable[[bytes], Known]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a blob."""

    sha256: str
    offset: int
    size_bytes: int


@dataclass(slots=True, kw_only=True)
class Build:
    """A file that can be rebuilt, and what it will have that is nowhere else for good."""

    sha256: str
    size_bytes: int
    pieces: list[Piece] = field(default_factory=list)
    gained: list[Gained] = field(default_factory=list)


def builds(holder: str, files: tuple[ShardFile, ...]) -> list[Build]:
    """How each file is made; raises XorbUnknown or InvalidShard.

    One who rotates over more xorbs than are kept would have each range load its own.
    """
    loads = itertools.count(1)

    @functools.lru_cache(maxsize=KEPT_XORBS)
    def look(xorb: bytes) -> Known:
        if next(loads) > MAX_LOADED_XORBS:
            raise InvalidShard(
                f"expected ranges in the order of their xorbs, found one that goes from xorb to "
                f"xorb more than {MAX_LOADED_XORBS} times"
            )
        found = index.known(holder, xorb)
        if found is None:  # 1
            raise XorbUnknown(
                f"expected xorbs that you have sent, found {hashes.written(xorb)}; {AGAIN}"
            )
        return found

    return [_build(file, look) for file in files]


def _build(file: ShardFile, look: Look) -> Build:
    build, offset = Build(sha256=file.sha256, size_bytes=file.size_bytes), 0
    for term in file.terms():
        xorb = look(term.xorb)
        _check(term, xorb)
        for piece in _pieces(term, xorb):
            _append(build.pieces, piece)
        if xorb.is_staged:
            place = Placed(first=term.first, end=term.end, sha256=file.sha256, offset=offset)
            _extend(build.gained, Gained(xorb=xorb.pk, placed=place), xorb)
        offset += term.size_bytes
    return build


def _check(term: Term, xorb: Known) -> None:
    if term.end > len(xorb.chunks):  # 2
        raise InvalidShard(
            f"expected a range of the {len(xorb.chunks)} chunks of {hashes.written(term.xorb)}, "
            f"found {term.first} to {term.end}"
        )
    size_bytes = xorb.chunks.size_bytes(term.first, term.end)
    if size_bytes != term.size_bytes:
        raise InvalidShard(
            f"expected {size_bytes} bytes in chunks {term.first} to {term.end} of "
            f"{hashes.written(term.xorb)}, found {term.size_bytes}"
        )
    if hashes.of_range(xorb.chunks.hashes(term.first, term.end)) != term.proof:  # 3
        raise InvalidShard(
            f"expected a proof of chunks {term.first} to {term.end} of "
            f"{hashes.written(term.xorb)}, found another"
        )


def _pieces(term: Term, xorb: Known) -> Iterator[Piece]:
    at = term.first
    while at < term.end:
        # Both their beginnings and their ends rise, so that the last that begins reaches furthest.
        number = bisect_right(xorb.places, at, key=attrgetter("first")) - 1
        place = xorb.places[number] if number >= 0 else None
        if place is None or place.end <= at:  # 4
            raise XorbUnknown(
                f"expected chunks that are kept, found {at} of {hashes.written(term.xorb)}, "
                f"which no file came for in time; {AGAIN}"
            )
        end = min(place.end, term.end)
        before = xorb.chunks.size_bytes(place.first, at)
        yield Piece(place.sha256, place.offset + before, xorb.chunks.size_bytes(at, end))
        at = end


def _append(pieces: list[Piece], piece: Piece) -> None:
    """What goes on where the last one ends is one with it."""
    if pieces:
        last = pieces[-1]
        if (last.sha256, last.offset + last.size_bytes) == (piece.sha256, piece.offset):
            pieces[-1] = replace(last, size_bytes=last.size_bytes + piece.size_bytes)
            return
    pieces.append(piece)


def _extend(gained: list[Gained], more: Gained, xorb: Known) -> None:
    """The same of chunks."""
    if gained and gained[-1].xorb == more.xorb:
        last, next_ = gained[-1].placed, more.placed
        follows = last.end == next_.first
        if follows and last.offset + xorb.chunks.size_bytes(last.first, last.end) == next_.offset:
            gained[-1] = replace(gained[-1], placed=replace(last, end=next_.end))
            return
    gained.append(more)

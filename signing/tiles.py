# SPDX-License-Identifier: Apache-2.0
"""The ledger as static files: C2SP tlog-tiles, and every proof from such files alone.

A tile holds up to 256 neighbouring hashes of one level of the tree, a bundle of entries what the
leaves are hashes of. What a tile says is nobody's word: only a root that a signed tree head names
makes it true. Where the bytes are stored and how they travel is left to others.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from . import merkle
from .errors import BadTile, InvalidDocument, MissingEvidence
from .merkle import HASH_BYTES

Pieces: TypeAlias = tuple[bytes, ...]
Fetch: TypeAlias = Callable[[str], bytes]
"""The bytes at a path; raises MissingEvidence where there are none."""

HEIGHT = 8  # levels of the tree between two levels of tiles
WIDTH = 1 << HEIGHT
ENTRIES = -1  # the level below the leaf hashes: the entries themselves
MAX_LEVEL = 63  # tlog-tiles
MAX_ENTRY_BYTES = 0xFFFF  # each entry's length stands before it in two bytes
MAX_TILE_BYTES = WIDTH * (2 + MAX_ENTRY_BYTES)

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/"
    r"(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A piece of the tree: its level of tiles, its place on that level, how many hashes it has."""

    level: int
    index: int
    width: int = WIDTH

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path; every tile has one, and no other text is a path."""
        found = _PATH.fullmatch(path)
        level = 0 if found is None else _level(found["level"])
        width = int(found["width"] or WIDTH) if found else WIDTH
        index = int(re.sub("[x/]", "", found["index"])) if found else 0
        tile = cls(level=level, index=index, width=width)
        if tile.path != path or level > MAX_LEVEL:
            raise InvalidDocument("path", "tile/LEVEL/INDEX[.p/WIDTH]", ascii(path[:80]))
        return tile

    @property
    def path(self) -> str:
        """Where it is, below the ledger's address."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        groups = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{'/'.join(groups)}{partial}"

    @property
    def whole(self) -> Tile:
        """The full tile in this place, in which a later tree has all that this one holds."""
        return type(self)(level=self.level, index=self.index)

    @property
    def start(self) -> int:
        """The position, on its level of the tree, of its first hash."""
        return self.index * WIDTH


def added(old: int, new: int) -> Iterator[Tile]:
    """The tiles of a tree of `new` entries that one of `old` does not have, entries first."""
    level = ENTRIES
    while (before := _count(level, old)) < (count := _count(level, new)):  # else nothing above
        for index in range(before // WIDTH, -(-count // WIDTH)):
            yield Tile(level=level, index=index, width=min(WIDTH, count - index * WIDTH))
        level += 1


def hash_tile(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile with these hashes."""
    return b"".join(hashes)


def read_hashes(tile: Tile, data: bytes) -> Pieces:
    """The hashes of a tile; raises BadTile unless it has exactly as many as its path says."""
    if len(data) != tile.width * HASH_BYTES:
        expected = f"{tile.width * HASH_BYTES} bytes at {tile.path}"
        raise BadTile(f"expected {expected}, found {len(data)}")
    return tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))


def entry_bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of a bundle of entries, each after its length."""
    pieces: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise BadTile(f"expected an entry of at most {MAX_ENTRY_BYTES} bytes: {len(entry)}")
        pieces += (struct.pack(">H", len(entry)), entry)
    return b"".join(pieces)


def read_entries(tile: Tile, data: bytes) -> Pieces:
    """The entries of a bundle; raises BadTile unless it has exactly as many as its path says."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or at + 2 > len(data):
            raise BadTile(f"expected a whole entry at the end of {tile.path}, found a part")
        entries.append(data[at + 2 : end])
        at = end
    if len(entries) != tile.width:
        raise BadTile(f"expected {tile.width} entries at {tile.path}, found {len(entries)}")
    return tuple(entries)


@dataclass(slots=True, kw_only=True)
class Reader:
    """A tree of `size` entries, read from its tiles: each once, and O(log size) for a proof.

    A full tile is compared with the hash above it, up to the partial ones, which `root` is made of.
    So all that is read is of one tree; whose it is, is known once its root is the signed one.
    """

    size: int
    fetch: Fetch
    _tiles: dict[Tile, Pieces] = field(default_factory=dict[Tile, Pieces], init=False)

    def root(self) -> bytes:
        """The root of the whole tree."""
        return merkle.root_from(self.size, self.subtree)

    def inclusion_proof(self, index: int) -> Pieces:
        """That the entry at `index` is in the tree; raises NotInLedger past its end."""
        return merkle.inclusion_proof(index, self.size, self.subtree)

    def consistency_proof(self, old: int) -> Pieces:
        """That the first `old` entries are a prefix; raises BadTreeHead if the tree is smaller."""
        return merkle.consistency_proof(old, self.size, self.subtree)

    def leaf_hashes(self, index: int) -> Pieces:
        """The leaf hashes of the `index`-th tile of the lowest level."""
        return self._hashes(self._tile(0, index))

    def entries(self, index: int) -> Pieces:
        """The entries of the `index`-th bundle as they came: compare them with `leaf_hashes`."""
        tile = self._tile(ENTRIES, index)
        return self._read(tile, read_entries)

    def subtree(self, level: int, position: int) -> bytes:
        """The hash of a complete subtree; see `merkle`."""
        tile_level, above = divmod(level, HEIGHT)
        first = position << above
        tile = self._tile(tile_level, first // WIDTH)
        return _fold(self._hashes(tile)[first % WIDTH : first % WIDTH + (1 << above)])

    def _tile(self, level: int, index: int) -> Tile:
        """The tile that a tree of this size has in a place."""
        width = min(WIDTH, _count(level, self.size) - index * WIDTH)
        return Tile(level=level, index=index, width=width)

    def _hashes(self, tile: Tile) -> Pieces:
        if tile not in self._tiles:
            hashes = self._read(tile, read_hashes)
            if tile == tile.whole and _fold(hashes) != self.subtree(*_above(tile)):
                raise BadTile(f"at {tile.path} expected the hash that stands above it")
            self._tiles[tile] = hashes
        return self._tiles[tile]

    def _read(self, tile: Tile, read: Callable[[Tile, bytes], Pieces]) -> Pieces:
        """What a tile holds; once the full one is there, a ledger may drop the partial ones."""
        try:
            return read(tile, self.fetch(tile.path))
        except MissingEvidence:
            if tile == tile.whole:
                raise
            return read(tile.whole, self.fetch(tile.whole.path))[: tile.width]


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes whose number is a power of two."""
    while len(hashes) > 1:
        hashes = list(map(merkle.node_hash, hashes[::2], hashes[1::2]))
    return hashes[0]


def _above(tile: Tile) -> tuple[int, int]:
    """The level and position, in the tree, of the hash over a full tile."""
    return (tile.level + 1) * HEIGHT, tile.index


def _count(level: int, size: int) -> int:
    """How many hashes (or entries) a tree has on a level of tiles."""
    return size >> HEIGHT * max(level, 0)


def _level(text: str) -> int:
    return ENTRIES if text == "entries" else int(text)

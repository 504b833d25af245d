# SPDX-License-Identifier: Apache-2.0
"""Tiles: their paths, which there are, and proofs of every shape from nothing but tiles."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import merkle, tiles
from assay.signing.errors import (
    BadTile,
    BadTreeHead,
    InvalidDocument,
    MissingEvidence,
    NotInLedger,
)
from assay.signing.tiles import ENTRIES, WIDTH, Reader, Tile

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "tiles.json").read_text("ascii"))
MOST = 66_000  # three levels of tiles
BODIES = [b"%d" % number for number in range(MOST)]
LEAVES = [merkle.leaf_hash(body) for body in BODIES]
STORED = merkle.new_subtrees(0, LEAVES, lambda *_: b"")
SIZES = st.one_of(
    st.integers(1, MOST), st.integers(1, 600), st.sampled_from([256, 257, 65_535, 65_536, 65_537])
)


def subtree(level: int, position: int) -> bytes:
    return STORED[level, position]


class Folder:
    """The files of a ledger of some size, strict: nothing is there that should not be."""

    def __init__(self, size: int) -> None:
        self.paths = {tile.path for tile in tiles.added(0, size)}
        self.fetched: list[str] = []

    def fetch(self, path: str) -> bytes:
        assert path not in self.fetched, "a reader reads a tile once"
        self.fetched.append(path)
        if path not in self.paths:
            raise MissingEvidence(f"expected a file at {path}, found none")
        tile = Tile.parse(path)
        if tile.level == ENTRIES:
            return tiles.entry_bundle(BODIES[tile.start : tile.start + tile.width])
        places = range(tile.start, tile.start + tile.width)
        return tiles.hash_tile([subtree(8 * tile.level, place) for place in places])


@pytest.mark.parametrize("case", VECTORS["paths"], ids=lambda case: case["path"])
def test_a_tile_has_one_path(case: Mapping[str, Any]) -> None:
    tile = Tile(level=case["level"], index=case["index"], width=case["width"])
    assert tile.path == case["path"]
    assert Tile.parse(case["path"]) == tile


@pytest.mark.parametrize("path", VECTORS["refused_paths"])
def test_another_text_is_no_path(path: str) -> None:
    with pytest.raises(InvalidDocument, match="path: expected tile/LEVEL/INDEX"):
        Tile.parse(path)


@pytest.mark.parametrize("case", VECTORS["trees"], ids=lambda case: case["size"])
def test_a_tree_has_its_tiles(case: Mapping[str, Any]) -> None:
    found = list(tiles.added(case["from"], case["size"]))
    assert len(found) == len(set(found)) == case["tiles"]
    partial = [tile.path for tile in found if tile.width < WIDTH]
    assert partial == case["partial"]


def test_worked_bytes() -> None:
    case = VECTORS["worked"]
    entries = [bytes.fromhex(each) for each in case["entries"]]
    leaves = [merkle.leaf_hash(each) for each in entries]
    assert tiles.entry_bundle(entries).hex() == case["bundle"]
    assert tiles.hash_tile(leaves).hex() == case["tile"]
    files = {f"tile/0/000.p/{len(entries)}": tiles.hash_tile(leaves)}
    files[f"tile/entries/000.p/{len(entries)}"] = tiles.entry_bundle(entries)
    reader = Reader(size=len(entries), fetch=files.__getitem__)
    assert reader.root().hex() == case["root"]
    assert reader.entries(0) == tuple(entries)
    assert reader.leaf_hashes(0) == tuple(leaves)


@given(SIZES)
def test_growing_adds_exactly_what_was_not_there(size: int) -> None:
    for old in {0, size // 2, size - 1, size}:
        before, after = set(tiles.added(0, old)), set(tiles.added(0, size))
        assert set(tiles.added(old, size)) == after - before


@given(SIZES, st.data())
def test_an_inclusion_proof_from_tiles_is_the_trees(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    folder = Folder(size)
    reader = Reader(size=size, fetch=folder.fetch)
    proof = reader.inclusion_proof(index)
    assert proof == merkle.inclusion_proof(index, size, subtree)
    assert len(folder.fetched) <= 6  # two for each level of tiles: the path, and the border
    merkle.verify_inclusion(LEAVES[index], index, size, proof, reader.root())


@given(SIZES, st.data())
def test_a_consistency_proof_from_tiles_is_the_trees(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    folder = Folder(size)
    reader = Reader(size=size, fetch=folder.fetch)
    assert reader.consistency_proof(old) == merkle.consistency_proof(old, size, subtree)
    assert len(folder.fetched) <= 6
    assert reader.root() == merkle.root_from(size, subtree)


@given(st.integers(1, 600), st.data())
def test_entries_come_in_their_bundles(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, (size - 1) // WIDTH))
    reader = Reader(size=size, fetch=Folder(size).fetch)
    entries = reader.entries(index)
    assert list(entries) == BODIES[index * WIDTH : min(size, (index + 1) * WIDTH)]
    assert tuple(map(merkle.leaf_hash, entries)) == reader.leaf_hashes(index)


@given(st.integers(1, 600), st.integers(0, 600))
def test_a_partial_tile_that_was_dropped_is_read_from_the_full_one(size: int, more: int) -> None:
    folder = Folder(MOST)
    reader = Reader(size=size, fetch=folder.fetch)
    assert reader.root() == merkle.root_from(size, subtree)
    assert reader.inclusion_proof(size - 1) == merkle.inclusion_proof(size - 1, size, subtree)
    assert len(reader.entries((size - 1) // WIDTH)) == (size - 1) % WIDTH + 1


def test_a_tile_that_is_nowhere_is_missing_evidence() -> None:
    with pytest.raises(MissingEvidence, match=r"tile/1/000, found none"):
        Reader(size=257, fetch=Folder(0).fetch).root()
    with pytest.raises(MissingEvidence, match=r"tile/0/000, found none"):
        Reader(size=256, fetch=Folder(0).fetch).leaf_hashes(0)
    with pytest.raises(MissingEvidence, match=r"tile/0/000, found none"):
        Reader(size=255, fetch=Folder(0).fetch).root()


def test_a_proof_past_the_trees_end_is_refused() -> None:
    reader = Reader(size=5, fetch=Folder(5).fetch)
    with pytest.raises(NotInLedger, match="an index below the size 5, found 5"):
        reader.inclusion_proof(5)
    with pytest.raises(BadTreeHead, match="an old size of at most 5, found 6"):
        reader.consistency_proof(6)


def test_a_full_tile_is_compared_with_the_hash_above_it() -> None:
    folder = Folder(600)

    def fetch(path: str) -> bytes:
        return bytes(256 * 32) if path == "tile/0/000" else folder.fetch(path)

    reader = Reader(size=600, fetch=fetch)
    assert reader.root() == merkle.root_from(600, subtree)
    with pytest.raises(BadTile, match="at tile/0/000 expected the hash that stands above it"):
        reader.leaf_hashes(0)


@pytest.mark.parametrize("length", [0, 31, 32, 63, 65, 96])
def test_a_tile_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(BadTile, match=rf"expected 64 bytes at tile/0/000\.p/2, found {length}"):
        tiles.read_hashes(Tile(level=0, index=0, width=2), bytes(length))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("0001610001", "a whole entry at the end"),
        ("00016100", "a whole entry at the end"),
        ("00016100026262ff", "a whole entry at the end"),
        ("000161", "expected 2 entries at tile/entries/000.p/2, found 1"),
        ("000161000162000163", "expected 2 entries at tile/entries/000.p/2, found 3"),
        ("", "expected 2 entries at tile/entries/000.p/2, found 0"),
    ],
)
def test_another_bundle_of_entries_is_refused(data: str, expected: str) -> None:
    tile = Tile(level=ENTRIES, index=0, width=2)
    with pytest.raises(BadTile, match=expected):
        tiles.read_entries(tile, bytes.fromhex(data))


def test_an_entry_is_empty_or_has_up_to_65535_bytes() -> None:
    tile = Tile(level=ENTRIES, index=0, width=2)
    longest = bytes(tiles.MAX_ENTRY_BYTES)
    assert tiles.read_entries(tile, tiles.entry_bundle([b"", longest])) == (b"", longest)
    with pytest.raises(BadTile, match="at most 65535 bytes: 65536"):
        tiles.entry_bundle([longest + b"x"])

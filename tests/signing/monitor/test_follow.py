# SPDX-License-Identifier: Apache-2.0
"""A monitor goes on from what it verified, and neither fork, rollback nor a lie gets past it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.signing import merkle, tiles, treehead
from assay.signing.errors import (
    BadTile,
    BadTreeHead,
    LedgerForked,
    LedgerRolledBack,
    MissingEvidence,
)
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.monitor import Memory, MonitorStateBroken, follow
from assay.signing.tiles import ENTRIES, Tile
from assay.signing.treehead import TreeHead, Verifier
from tests.signing.witness.ledgers import KEY, ORIGIN, VKEY, Ledger

MOST = 70_000
LARGE = Ledger([b"%d" % number for number in range(MOST)])
FORK = Ledger([b"%d" % number if number != 150 else b"other" for number in range(700)])
SIZES = (1, 2, 200, 255, 256, 257, 600, 65_536, 66_000)


def fetcher(ledger: Ledger, size: int, **changed: bytes) -> Callable[[str], bytes]:
    shown = ledger.files(size) | changed

    def fetch(path: str) -> bytes:
        if path not in shown:
            raise MissingEvidence(f"expected a file at {path}, found none")
        return shown[path]

    return fetch


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(folder=tmp_path / "state", ledger=Verifier.parse(VKEY))


def grow(memory: Memory, ledger: Ledger, size: int) -> tuple[int, int]:
    progress = follow(memory, ledger.note(size), fetcher(ledger, size))
    return progress.before.size, progress.now.size


def test_it_goes_on_from_where_it_was(memory: Memory) -> None:
    for before, now in zip((0, *SIZES), SIZES, strict=False):
        assert grow(memory, LARGE, now) == (before, now)
        assert grow(memory, LARGE, now) == (now, now)


def test_only_what_is_new_is_read(memory: Memory) -> None:
    grow(memory, LARGE, 66_000)
    fetch, read = fetcher(LARGE, 66_001), list[str]()

    def counting(path: str) -> bytes:
        read.append(path)
        return fetch(path)

    follow(memory, LARGE.note(66_001), counting)
    assert len(read) <= 6


def test_an_empty_ledger_has_nothing_to_verify(memory: Memory) -> None:
    assert grow(memory, LARGE, 0) == (0, 0)


@pytest.mark.parametrize("size", [200, 600])
def test_a_fork_is_found_and_kept(memory: Memory, size: int) -> None:
    grow(memory, LARGE, 200)
    with pytest.raises(LedgerForked, match="history of the 200 verified: contradiction-"):
        grow(memory, FORK, size)
    (kept,) = memory.folder.glob("contradiction-*")
    assert treehead.verify(kept.read_text(), VKEY).size == size
    assert memory.verified().size == 200
    assert grow(memory, LARGE, 600) == (200, 600)


def look_back(memory: Memory, head: Ledger, size: int, files: dict[str, bytes]) -> None:
    """200 entries are verified; then a smaller head is shown, over these files."""

    def fetch(path: str) -> bytes:
        if path not in files:
            raise MissingEvidence(path)
        return files[path]

    grow(memory, LARGE, 200)
    follow(memory, head.note(size), fetch)


def kept(memory: Memory) -> list[Path]:
    return list(memory.folder.glob("contradiction-*"))


@pytest.mark.parametrize("size", [0, 1, 199])
def test_a_smaller_head_of_the_same_history_proves_nothing(memory: Memory, size: int) -> None:
    words = f"at least 200 entries, found {size}; a smaller head alone may be a stale copy"
    with pytest.raises(LedgerRolledBack, match=words):
        look_back(memory, LARGE, size, LARGE.files(200))
    assert (kept(memory), memory.verified().size) == ([], 200)
    assert grow(memory, LARGE, 600) == (200, 600)


def test_a_smaller_head_of_another_history_is_a_fork(memory: Memory) -> None:
    with pytest.raises(LedgerForked, match="of the history of the 200 verified: contradiction-"):
        look_back(memory, FORK, 199, LARGE.files(200))
    (name,) = kept(memory)
    assert name.read_text() == FORK.note(199)


@pytest.mark.parametrize("files", [{}, FORK.files(200), {"tile/0/000.p/200": b"short"}])
def test_a_smaller_head_is_kept_where_the_tiles_verified_are_gone(
    memory: Memory, files: dict[str, bytes]
) -> None:
    with pytest.raises(LedgerRolledBack, match="tiles of what was verified are not shown: contra"):
        look_back(memory, FORK, 199, files)
    assert (len(kept(memory)), memory.verified().size) == (1, 200)


def test_a_head_of_another_key_is_refused(memory: Memory) -> None:
    note = LARGE.note(3, key=SoftwareKey.generate(Curve.ED25519))
    with pytest.raises(BadTreeHead):
        follow(memory, note, fetcher(LARGE, 3))
    assert memory.verified().size == 0


@pytest.mark.parametrize("path", ["tile/0/002.p/88", "tile/1/000.p/2"])
def test_tiles_of_another_root_are_refused(memory: Memory, path: str) -> None:
    spoiled = bytes(len(LARGE.files(600)[path]))
    with pytest.raises(BadTile, match="expected tiles of the signed root"):
        follow(memory, LARGE.note(600), fetcher(LARGE, 600, **{path: spoiled}))
    assert memory.verified().size == 0


def test_a_spoiled_tile_is_never_taken_for_a_fork(memory: Memory) -> None:
    grow(memory, LARGE, 200)
    spoiled = fetcher(LARGE, 600, **{"tile/0/000": FORK.files(600)["tile/0/000"]})
    with pytest.raises(BadTile, match="at tile/0/000 expected the hash that stands above it"):
        follow(memory, LARGE.note(600), spoiled)
    assert not list(memory.folder.glob("contradiction-*"))


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_entry_that_is_not_what_the_tree_says_is_refused(memory: Memory, index: int) -> None:
    tile = Tile(level=ENTRIES, index=index, width=88 if index == 2 else 256)
    bodies = [*LARGE.bodies[tile.start : tile.start + tile.width - 1], b"a lie"]
    spoiled = fetcher(LARGE, 600, **{tile.path: tiles.entry_bundle(bodies)})
    number = tile.start + tile.width - 1
    with pytest.raises(BadTile, match=f"expected the entry {number} that its leaf hash names"):
        follow(memory, LARGE.note(600), spoiled)
    assert memory.verified().size == 0


def test_an_empty_tree_has_one_root(memory: Memory) -> None:
    head = TreeHead(origin=ORIGIN, size=0, root=merkle.leaf_hash(b""))
    with pytest.raises(LedgerForked):
        follow(memory, treehead.sign(head, KEY), fetcher(LARGE, 0))


@pytest.mark.parametrize("text", ["", "not a note", LARGE.note(3).replace("\n3\n", "\n4\n")])
def test_a_memory_that_cannot_be_read_is_never_taken_for_an_empty_one(
    memory: Memory, text: str
) -> None:
    grow(memory, LARGE, 3)
    (memory.folder / "verified").write_text(text)
    with pytest.raises(MonitorStateBroken, match="verified"):
        memory.verified()


def test_a_memory_that_cannot_be_written_is_an_error(memory: Memory) -> None:
    memory.folder.write_text("a file where the folder should be")
    with pytest.raises(MonitorStateBroken, match="verified"):
        memory.keep_verified(LARGE.note(3))

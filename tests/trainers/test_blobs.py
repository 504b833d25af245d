# SPDX-License-Identifier: Apache-2.0
"""What a node keeps of a registry's files: fetched once, and no more of them than there is room."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.signing.digests import sha256
from assay.signing.manifest import FileEntry, Manifest
from assay.trainers import blobs
from assay.trainers.blobs import BlobCache

from .node_builders import Site, site
from .registry_world import World

FILE_BYTES = 100


def held(world: World, text: str) -> FileEntry:
    """A file that the registry has."""
    data = text.encode().ljust(FILE_BYTES)
    manifest = Manifest.of([FileEntry(name=text, sha256=sha256(data), size=FILE_BYTES)])
    world.blobs[manifest.files[0].sha256] = data
    return manifest.files[0]


@pytest.fixture
def here() -> Iterator[Site]:
    with site(World()) as found:
        yield found


@pytest.fixture
def cache(here: Site, tmp_path: Path) -> BlobCache:
    return BlobCache(tmp_path / "blobs", here.client, here.patience)


@pytest.fixture
def kept(here: Site, cache: BlobCache, tmp_path: Path) -> list[FileEntry]:
    """Three files in the cache, used one after the other."""
    entries = [held(here.world, text) for text in ("first", "second", "third")]
    for hour, entry in enumerate(entries):
        os.utime(cache.fetch(entry), (3600 * hour, 3600 * hour))
    return entries


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_fetched_once(here: Site, cache: BlobCache, kept: list[FileEntry]) -> None:
    before = len(here.server.requests)
    cache.fetch_all(kept)
    assert len(here.server.requests) == before


@pytest.mark.parametrize(("room", "left"), [(4, 3), (3, 2), (2, 1), (1, 0), (0, 0)])
def test_what_was_used_longest_ago_makes_room(
    cache: BlobCache,
    kept: list[FileEntry],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    room: int,
    left: int,
) -> None:
    monkeypatch.setattr(blobs, "KEPT_BYTES", room * FILE_BYTES)
    cache.make_room([FileEntry(name="new", sha256=sha256(b"new"), size=FILE_BYTES)])
    assert names(tmp_path / "blobs") == {entry.sha256 for entry in kept[3 - left :]}


def test_a_file_used_again_is_not_the_oldest(
    cache: BlobCache, kept: list[FileEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "KEPT_BYTES", FILE_BYTES)
    cache.fetch(kept[0])
    cache.make_room([])
    assert names(tmp_path / "blobs") == {kept[0].sha256}


def test_what_is_needed_stays_however_large_and_old(
    cache: BlobCache, kept: list[FileEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "KEPT_BYTES", 0)
    cache.make_room(kept[:2])
    assert names(tmp_path / "blobs") == {entry.sha256 for entry in kept[:2]}


def test_a_download_that_was_cut_short_counts_and_goes(
    cache: BlobCache, kept: list[FileEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "KEPT_BYTES", 3 * FILE_BYTES)
    part = tmp_path / "blobs" / f".{sha256(b'x')}.part"
    part.write_bytes(bytes(FILE_BYTES))
    os.utime(part, (0, 0))
    cache.make_room(kept)
    assert names(tmp_path / "blobs") == {entry.sha256 for entry in kept}

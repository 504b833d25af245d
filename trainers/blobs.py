# SPDX-License-Identifier: Apache-2.0
"""Files by digest, fetched once and kept while there is room, checked each time they are used."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assay.signing.client import RegistryClient
from assay.signing.digests import sha256_file
from assay.signing.manifest import MANIFEST_V1, FileEntry, Manifest

from .errors import WrongDigest
from .patience import Patience

PARALLEL_DOWNLOADS = 4
"""Small files wait on round trips, not on bandwidth."""
KEPT_BYTES = 10 * 10**9
"""Room for a few datasets: each fits in memory, and the disk is somebody's."""


class BlobCache:
    """A folder of blobs, each under its digest."""

    def __init__(self, folder: Path, client: RegistryClient, patience: Patience) -> None:
        self._folder = folder
        self._client = client
        self._patience = patience
        folder.mkdir(parents=True, exist_ok=True)

    def fetch(self, entry: FileEntry) -> Path:
        """The file of an entry: the kept one, or a fresh download if it is absent or damaged."""
        path, digest, size_bytes = self._path(entry), entry.sha256, entry.size
        if not path.exists() or sha256_file(path) != (digest, size_bytes):
            self._patience.until_answered(lambda: self._client.get_blob(digest, size_bytes, path))
        os.utime(path)  # what was used longest ago makes room first
        return path

    def fetch_all(self, entries: Iterable[FileEntry]) -> None:
        """Have the files of all entries in the folder."""
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            for _ in pool.map(self.fetch, entries):
                pass

    def read(self, entry: FileEntry) -> bytes:
        """The bytes of a fetched entry."""
        return self._path(entry).read_bytes()

    def lay_out(self, manifest: Manifest, folder: Path) -> Path:
        """Fetch a manifest's files and give them their names in a folder."""
        for entry in manifest.files:
            kept = self.fetch(entry)
            place = folder.joinpath(*entry.name.split("/"))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.hardlink_to(kept)
        return folder

    def make_room(self, needed: Iterable[FileEntry]) -> None:
        """Delete what was used longest ago, so that no more than `KEPT_BYTES` will be kept.

        What is needed now stays, and has its room before all else.
        """
        sizes_bytes = {entry.sha256: entry.size for entry in needed}
        room_bytes = KEPT_BYTES - sum(sizes_bytes.values())
        kept = [(path, path.stat()) for path in self._folder.iterdir()]
        for path, status in sorted(kept, key=lambda each: each[1].st_mtime_ns, reverse=True):
            if path.name not in sizes_bytes:
                room_bytes -= status.st_size
                if room_bytes < 0:
                    path.unlink()

    def drop_unnamed(self) -> None:
        """Delete the blobs that no folder laid out from here has a name for any more."""
        for path in self._folder.iterdir():
            if path.stat().st_nlink == 1:
                path.unlink()

    def _path(self, entry: FileEntry) -> Path:
        return self._folder / entry.sha256


def manifest_named(digest: str, files: object, what: str) -> Manifest:
    """The manifest of files that a registry lists, if it is the one it names by digest."""
    manifest = Manifest.parse({"type": MANIFEST_V1, "files": files})
    if manifest.id != digest:
        raise WrongDigest(f"{what}: expected files of sha256:{digest}, found sha256:{manifest.id}")
    return manifest

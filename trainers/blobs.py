# SPDX-License-Identifier: Apache-2.0
"""Files by digest, fetched once and kept; what is kept is checked again each time it is used."""

from __future__ import annotations

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


class BlobCache:
    """A folder of blobs, each under its digest."""

    def __init__(self, folder: Path, client: RegistryClient, patience: Patience) -> None:
        self._folder = folder
        self._client = client
        self._patience = patience
        folder.mkdir(parents=True, exist_ok=True)

    def fetch(self, entry: FileEntry) -> Path:
        """The file of an entry: the kept one, or a fresh download if it is absent or damaged."""
        path = self._path(entry)
        if not path.exists() or sha256_file(path) != (entry.sha256, entry.size):
            self._patience.until_answered(lambda: self._client.get_blob(entry.sha256, path))
            size_bytes = path.stat().st_size
            if size_bytes != entry.size:
                raise WrongDigest(
                    f"{entry.name}: expected {entry.size} bytes, found {size_bytes} of that digest"
                )
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

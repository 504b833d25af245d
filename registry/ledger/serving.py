# SPDX-License-Identifier: Apache-2.0
"""Serves the ledger's static files below Django: no database, so that what is proven stays so.

C2SP tlog-tiles, below /ledger: `checkpoint` changes with every tree head, a tile never.
"""

from __future__ import annotations

from assay.signing.errors import InvalidDocument
from assay.signing.tiles import Tile
from registry.api.problems import NotFound
from registry.api.wire import Application
from registry.storage.named import FOR_EVER, NamedFiles

from . import folder

# The second is where clients of Rekor v2 read the log.
PREFIXES = ("/ledger/", "/api/v2/")
CHECKPOINT_HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-cache",
}
TILE_HEADERS = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": FOR_EVER,
}


def ledger_files(inner: Application) -> Application:
    """Answers the addresses of the ledger's files; everything else goes on to `inner`."""
    return NamedFiles(inner=inner, name_of=_name_of, read=_read)


def _name_of(path: str) -> str:
    below = next((path.removeprefix(each) for each in PREFIXES if path.startswith(each)), "")
    return below if below == folder.CHECKPOINT or below.startswith("tile/") else ""


def _read(path: str) -> tuple[dict[str, str], bytes]:
    headers = CHECKPOINT_HEADERS if path == folder.CHECKPOINT else TILE_HEADERS
    if path != folder.CHECKPOINT:
        _check_path(path)
    data = folder.read(path)
    if data is None:
        raise NotFound(f"expected a file of the newest tree head, found none at {path}")
    return headers, data


def _check_path(path: str) -> None:
    """Only what is the path of a tile ever reaches the disk."""
    try:
        Tile.parse(path)
    except InvalidDocument as error:
        raise NotFound(str(error)) from error

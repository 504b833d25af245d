# SPDX-License-Identifier: Apache-2.0
"""Writes a tree as static files: first the tiles, all of them durable, then the tree head.

Only the sequencer calls this, and only for a tree that the signer has signed. Whatever a kill
leaves out, the next call writes: the tree head in the folder says up to where tiles are whole.
"""

from __future__ import annotations

from assay.signing import tiles, treehead
from assay.signing.errors import BadTreeHead
from assay.signing.tiles import ENTRIES, HEIGHT, Tile

from . import cosigned, folder, queries
from .models import TreeHead


def write_tiles(size: int, *, written: int | None = None) -> None:
    """Make the tiles of the first `size` entries durable; those of the first `written` are there.

    Without `written`, the tree head in the folder says what is there, if it is one of this ledger.
    """
    start = _written(size) if written is None else written
    for tile in tiles.added(start, size):
        folder.write(tile.path, _content(tile))
        if tile == tile.whole:
            folder.drop_partial(tile)


def publish(head: TreeHead, *, written: int | None = None) -> None:
    """Show a tree head with its cosignatures, once its tiles are there (see write_tiles)."""
    note = cosigned.note(head).encode()
    if folder.read(folder.CHECKPOINT) != note:
        write_tiles(head.size, written=written)
        folder.write(folder.CHECKPOINT, note)


def _written(most: int) -> int:
    """How many entries the folder holds; none, if what it says of itself is not of this tree."""
    note = folder.read(folder.CHECKPOINT) or b""
    try:
        head = treehead.parse(note.decode(errors="replace"))
    except BadTreeHead:
        return 0
    is_ours = head.size <= most and queries.root(head.size) == head.root
    return head.size if is_ours else 0


def _content(tile: Tile) -> bytes:
    if tile.level == ENTRIES:
        return tiles.entry_bundle(queries.bodies(tile.start, tile.width))
    return tiles.hash_tile(queries.hashes(tile.level * HEIGHT, tile.start, tile.width))

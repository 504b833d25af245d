# SPDX-License-Identifier: Apache-2.0
"""Writes a tree as static files: first the tiles, all of them durable, then the tree head.

Only the sequencer calls this, and only for a tree that the signer has signed. Whatever a kill
leaves out, the next call writes: the tree head in the folder says up to where tiles are whole.
"""

from __future__ import annotations

from assay.signing import tiles, treehead
from assay.signing.errors import BadTreeHead
from assay.signing.tiles import ENTRIES, HEIGHT, Tile

from . import cosigned, folder, queries, stored
from .models import TreeHead


def write_tiles(size: int, *, written: int | None = None, after: TreeHead | None = None) -> None:
    """Make the tiles of the first `size` entries durable; those of the first `written` are there.

    Without `written`, the tree head in the folder says what is there, if it is one of this ledger:
    of `after`, which is likely to be that one, the root is known.
    """
    start = _written(size, after) if written is None else written
    for tile in tiles.added(start, size):
        folder.write(tile.path, _content(tile))
        if tile == tile.whole:
            folder.drop_partial(tile)


def publish(head: TreeHead) -> None:
    """Show a tree head with its cosignatures, and make its tiles durable before."""
    note = cosigned.note(head)
    if folder.read(folder.CHECKPOINT) != note.encode():
        write_tiles(head.size)
        show(note)


def show(note: str) -> None:
    """Show a tree head whose tiles are there."""
    folder.write(folder.CHECKPOINT, note.encode())


def _written(most: int, after: TreeHead | None) -> int:
    """How many entries the folder holds; none, if what it says of itself is not of this tree."""
    note = folder.read(folder.CHECKPOINT) or b""
    try:
        head = treehead.parse(note.decode(errors="replace"))
    except BadTreeHead:
        return 0
    return head.size if head.size <= most and _root(head.size, after) == head.root else 0


def _root(size: int, known: TreeHead | None) -> bytes:
    if known is None or known.size != size:
        return queries.root(size)
    return bytes(known.root)


def _content(tile: Tile) -> bytes:
    if tile.level == ENTRIES:
        return stored.bundle(tile.start, tile.width)
    return tiles.hash_tile(stored.hashes(tile.level * HEIGHT, tile.start, tile.width))

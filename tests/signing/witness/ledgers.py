# SPDX-License-Identifier: Apache-2.0
"""Ledgers for those who watch them: histories of leaves whose heads one key signs."""

from assay.signing import merkle, tiles, treehead
from assay.signing.canonical import base64_text
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.tiles import ENTRIES, HEIGHT, Tile
from assay.signing.treehead import TreeHead

ORIGIN = "registry.test/ledger"
KEY = SoftwareKey.generate(Curve.ED25519)
VKEY = treehead.vkey(ORIGIN, KEY.public_key)
MOST = 40
BODIES = [bytes([number]) for number in range(MOST)]
OTHER_BODIES = [*BODIES[:3], *(b"other%d" % number for number in range(3, MOST))]


class Ledger:
    """One history; two of them under one key are a split view."""

    def __init__(self, bodies: list[bytes]) -> None:
        self.bodies = bodies
        self.leaves = [merkle.leaf_hash(body) for body in bodies]
        self._stored = merkle.new_subtrees(0, self.leaves, lambda *_: b"")

    def subtree(self, level: int, position: int) -> bytes:
        """See `merkle`."""
        return self._stored[level, position]

    def note(self, size: int, *, origin: str = ORIGIN, key: SoftwareKey = KEY) -> str:
        """A signed head."""
        root = merkle.root_from(size, self.subtree)
        return treehead.sign(TreeHead(origin=origin, size=size, root=root), key)

    def files(self, size: int) -> dict[str, bytes]:
        """What the ledger shows at a size, by its path."""
        return {tile.path: self._data(tile) for tile in tiles.added(0, size)}

    def _data(self, tile: Tile) -> bytes:
        places = range(tile.start, tile.start + tile.width)
        if tile.level == ENTRIES:
            return tiles.entry_bundle(self.bodies[place] for place in places)
        return tiles.hash_tile([self.subtree(HEIGHT * tile.level, place) for place in places])

    def request(self, old: int, new: int, *, proof: tuple[bytes, ...] | None = None) -> str:
        """What a witness is sent."""
        found = merkle.consistency_proof(old, new, self.subtree) if proof is None else proof
        lines = "".join(f"{base64_text(each)}\n" for each in found)
        return f"old {old}\n{lines}\n{self.note(new)}"


HONEST, FORKED = Ledger(BODIES), Ledger(OTHER_BODIES)

# SPDX-License-Identifier: Apache-2.0
"""Verifies the whole ledger from its leaves, and writes its static files anew.

For the operator, after a restored dump or a lost disk: nothing stored is believed but the entries,
and those only if every tree head that was ever signed is a tree of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from assay.signing import merkle, treehead
from assay.signing.errors import VerificationError
from assay.signing.tiles import WIDTH

from . import publishing, queries, services, stored
from .errors import LedgerDamaged
from .models import TreeHead

Place: TypeAlias = tuple[int, int]


def rebuild() -> TreeHead:
    """Verify every entry, hash and tree head, then write every file; the newest tree head.

    Raises LedgerDamaged at the first contradiction, with the files as they were.
    """
    with services.sequencer():
        head = queries.tree_head()
        tree = _Tree()
        for old in queries.heads():
            tree.grow(old.size)
            _check_head(old, tree.root())
        publishing.write_tiles(head.size, written=0)
        publishing.publish(head)
        return head


@dataclass(slots=True)
class _Tree:
    """A tree that grows from entries alone; of its hashes it keeps those that later ones need."""

    size: int = 0
    known: dict[Place, bytes] = field(default_factory=dict[Place, bytes])

    def grow(self, size: int) -> None:
        while self.size < size:
            self._append(min(WIDTH, size - self.size))

    def root(self) -> bytes:
        return merkle.root_from(self.size, self._subtree)

    def _append(self, count: int) -> None:
        leaves = [merkle.leaf_hash(body) for body in stored.bodies(self.size, count)]
        completed = merkle.new_subtrees(self.size, leaves, self._subtree)
        for level in {level for level, _ in completed}:
            _check_hashes(
                level, {at: found for (on, at), found in completed.items() if on == level}
            )
        self.known |= completed
        self.size += count
        last = dict(sorted(self.known))  # of each level the last, which is all that is ever read
        self.known = {place: self.known[place] for place in last.items()}

    def _subtree(self, level: int, position: int) -> bytes:
        return self.known[level, position]


def _check_hashes(level: int, found: dict[int, bytes]) -> None:
    kept = stored.hashes(level, min(found), len(found))
    for position, row in zip(sorted(found), kept, strict=True):
        if row != found[position]:
            message = f"expected the hash of the entries at subtree {level}/{position}"
            raise LedgerDamaged(f"{message}, the database holds another")


def _check_head(head: TreeHead, root: bytes) -> None:
    try:
        signed = treehead.verify(head.note, head.verifier)
    except VerificationError as error:
        raise LedgerDamaged(f"the tree head of {head.size} entries: {error}") from error
    if (signed.size, signed.root, bytes(head.root)) != (head.size, root, root):
        message = f"expected the signed root of the first {head.size} entries, found another"
        raise LedgerDamaged(message)

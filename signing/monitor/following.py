# SPDX-License-Identifier: Apache-2.0
"""From the head that was verified last to the one that the ledger shows now, entry by entry."""

from __future__ import annotations

from dataclasses import dataclass

from .. import merkle, treehead
from ..errors import BadTile, BadTreeHead, LedgerForked, LedgerRolledBack, MissingEvidence
from ..tiles import WIDTH, Fetch, Reader
from ..treehead import TreeHead
from .memory import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What was verified before, and what is now."""

    before: TreeHead
    now: TreeHead


def follow(memory: Memory, note: str, fetch: Fetch) -> Progress:
    """Verify all that the ledger added, and remember its new head.

    1. The ledger signed the head that it shows (BadTreeHead).
    2. It is not smaller than the one before (LedgerRolledBack; LedgerForked if it is no beginning
       of that one, as the tiles show).
    3. The tiles make up its root (BadTile).
    4. It continues the one before (LedgerForked).
    5. Every new entry is the one that its leaf hash names (BadTile).
    """
    before = memory.verified()
    now = treehead.verify(note, memory.ledger.text())  # 1
    if now.size < before.size:  # 2
        raise _smaller(memory, note, Reader(size=before.size, fetch=fetch), before=before, now=now)
    if now != before:
        reader = Reader(size=now.size, fetch=fetch)
        _check_history(memory, note, reader, before=before, now=now)
        _check_entries(reader, start=before.size)
        memory.keep_verified(note)
    return Progress(before=before, now=now)


def _check_history(
    memory: Memory, note: str, reader: Reader, *, before: TreeHead, now: TreeHead
) -> None:
    if now.size == before.size:
        raise _forked(memory, note, before)
    if reader.root() != now.root:  # 3
        raise BadTile(f"expected tiles of the signed root {now.root.hex()}, found others")
    # From here on the reader vouches for its tiles: what does not fit is the ledger's own doing.
    proof = reader.consistency_proof(before.size)
    try:
        merkle.verify_consistency(before.size, now.size, before.root, now.root, proof)  # 4
    except BadTreeHead as error:
        raise _forked(memory, note, before) from error


def _smaller(
    memory: Memory, note: str, reader: Reader, *, before: TreeHead, now: TreeHead
) -> LedgerForked | LedgerRolledBack:
    """What a smaller head is: of another history, or one that alone may be a stale copy."""
    found = (
        f"expected at least {before.size} entries, found {now.size}; "
        "a smaller head alone may be a stale copy, such as a cache's: look again"
    )
    proof = _proof_between(reader, now, before)
    if proof is None:  # nobody shows what was verified any more: keep what there is
        name = memory.keep_contradiction(note)
        return LedgerRolledBack(f"{found}. The tiles of what was verified are not shown: {name}")
    try:
        merkle.verify_consistency(now.size, before.size, now.root, before.root, proof)
    except BadTreeHead:
        return _forked(memory, note, before)
    return LedgerRolledBack(found)


def _proof_between(reader: Reader, now: TreeHead, before: TreeHead) -> tuple[bytes, ...] | None:
    """The proof of the tiles of what was verified; None where those are not shown any more."""
    try:
        if reader.root() != before.root:
            return None
        return tuple(reader.consistency_proof(now.size))
    except (BadTile, MissingEvidence):
        return None


def _forked(memory: Memory, note: str, before: TreeHead) -> LedgerForked:
    name = memory.keep_contradiction(note)
    return LedgerForked(f"expected a head of the history of the {before.size} verified: {name}")


def _check_entries(reader: Reader, *, start: int) -> None:
    for bundle in range(start // WIDTH, -(-reader.size // WIDTH)):
        pairs = zip(reader.entries(bundle), reader.leaf_hashes(bundle), strict=True)
        for index, (entry, leaf) in enumerate(pairs, start=bundle * WIDTH):
            if merkle.leaf_hash(entry) != leaf:  # 5
                raise BadTile(f"expected the entry {index} that its leaf hash names, found another")

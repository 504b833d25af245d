# SPDX-License-Identifier: Apache-2.0
"""What a stranger proves from the ledger's files alone, and whether they are as they should be."""

from __future__ import annotations

from assay.signing import merkle, tiles, treehead
from assay.signing.errors import MissingEvidence
from assay.signing.tiles import Reader
from registry.ledger import folder
from tests.running import Authority


def fetch(path: str) -> bytes:
    """A file of the ledger's folder."""
    data = folder.read(path)
    if data is None:
        raise MissingEvidence(f"expected a file at {path}, found none")
    return data


def proven_size(authority: Authority) -> int:
    """How many entries the tree head that is shown proves; nothing is shown that is not proven."""
    if folder.read(folder.CHECKPOINT) is None:
        return 0
    note = fetch(folder.CHECKPOINT).decode()
    head = treehead.verify(note, authority.trust_root.verifier)
    reader = Reader(size=head.size, fetch=fetch)
    assert reader.root() == head.root
    for index in range(-(-head.size // tiles.WIDTH)):
        assert tuple(map(merkle.leaf_hash, reader.entries(index))) == reader.leaf_hashes(index)
    return head.size

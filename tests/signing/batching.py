# SPDX-License-Identifier: Apache-2.0
"""Evidence of a batch of outputs that Bob had signed, and the proof of each of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from assay.signing import merkle
from assay.signing.certificates import Purpose
from assay.signing.digests import normalised_text, sha256
from assay.signing.evidence import Evidence
from assay.signing.statements import BatchClaim, Placed
from assay.signing.tlog import Proof
from tests.signing.evaluating import with_part
from tests.signing.world import World, conduct_reference

ID = "1f0d4b52-63f1-4a0e-8c26-5a7f2c3b9d10"
TEXTS = ("one\n", "two\n", "café\n", "four\n", "five\n")


def placed(texts: Sequence[str] = TEXTS) -> list[Placed]:
    """Outputs before they have their places; the first has no normalised digest."""
    return [
        Placed(
            index=index,
            output=str(uuid.UUID(int=index + 1)),
            exact_sha256=sha256(text.encode()),
            normalised_sha256=sha256(normalised_text(text).encode()) if index else None,
            media_type="text/plain",
            hashes=(),
        )
        for index, text in enumerate(texts)
    ]


def batch_claim(below: Evidence, outputs: Sequence[Placed]) -> BatchClaim:
    """What Bob says of all of them."""
    draft = BatchClaim(
        root_sha256="",
        batch=ID,
        count=len(outputs),
        checkpoint_sha256=below.manifest.id,
        checkpoint_statement_sha256=sha256(below.bundles["checkpoint"].envelope.payload),
        conduct=conduct_reference(),
    )
    return replace(draft, root_sha256=tree_of(draft, outputs).root.hex())


def tree_of(claim: BatchClaim, outputs: Sequence[Placed]) -> merkle.Tree:
    """Over the statements of these outputs."""
    statements = (claim.output(each).statement().canonical() for each in outputs)
    return merkle.Tree.of([merkle.leaf_hash(each) for each in statements])


def evidence_for_batch(world: World, texts: Sequence[str] = TEXTS) -> Evidence:
    """Everything about a batch."""
    below = replace(world.evidence_for_checkpoint(), lists=world.lists())
    claim = batch_claim(below, placed(texts))
    return with_part(world, below, "batch", claim, "bob", purpose=Purpose.OUTPUT)


def proof_of(world: World, evidence: Evidence, index: int, texts: Sequence[str] = TEXTS) -> Proof:
    """That one of the outputs is in it, and it in the ledger as it stands."""
    outputs = placed(texts)
    tree = tree_of(batch_claim(evidence, outputs), outputs)
    found = replace(outputs[index], hashes=tree.proof(index))
    return proof_with(world, evidence, found.canonical())


def proof_with(world: World, evidence: Evidence, extra: bytes | None) -> Proof:
    """That the batch is in the ledger as it stands, with something besides."""
    index, size = evidence.bundles["batch"].proof.index, len(world.entries)
    stored = merkle.new_subtrees(0, world.entries, lambda *_: b"")
    hashes = merkle.inclusion_proof(index, size, lambda level, place: stored[level, place])
    return Proof(index=index, hashes=hashes, note=world.note(), extra=extra)

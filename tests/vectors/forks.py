# SPDX-License-Identifier: Apache-2.0
"""Evidence under two tree heads of one size and different roots, both signed by the ledger."""

from __future__ import annotations

from dataclasses import replace

from assay.signing import merkle
from assay.signing.bundle import Bundle
from assay.signing.evidence import Evidence
from tests.signing.world import Signed, World
from tests.vectors.mutation import Mutation


def forks(world: World, evidence: Evidence, *table: tuple[str, str]) -> list[Mutation]:
    """One part of an artifact is proven under another history of the same size; alone it is sound.

    The `table` has the artifacts, and which part.
    """
    return [
        Mutation(
            name=f"the {part} under another head of the same size, signed by the ledger",
            artifact=artifact,
            set={("bundles", part): in_another_history(world, evidence.bundles[part]).to_json()},
            failed=("heads",),
            error="ledger-forked",
        )
        for artifact, part in table
    ]


def in_another_history(world: World, bundle: Bundle) -> Bundle:
    """The same signature at the same place of a tree in which the first entry is another."""
    proof = bundle.proof
    entries = [merkle.leaf_hash(b"never shown"), *world.entries[1 : proof.size]]
    signed = Signed(
        envelope=bundle.envelope,
        chain=bundle.chain,
        timestamp=bundle.timestamp,
        index=proof.index,
    )
    return replace(world, entries=entries).bundle(signed)

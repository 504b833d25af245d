# SPDX-License-Identifier: Apache-2.0
"""What is written in forms is, to the byte, what `assay.signing` makes one at a time."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import merkle
from assay.signing.bundle import LedgerProof
from assay.signing.statements import BatchClaim, ConductReference, Placed
from assay.signing.tlog import Proof
from registry.outputs.batches.lines import Content
from registry.outputs.batches.trees import Grown, output_id
from tests.signing.world import AT, World

WORLD = World.create(at=AT)
LOGGED = [merkle.leaf_hash(bytes([number])) for number in range(3)]
WORLD.entries = LOGGED
NOTE, VERIFIER = WORLD.note(), WORLD.trust.verifier
SALT = bytes(range(32))
# A policy's id may hold what a form would take for a hole.
CONDUCT = ConductReference(id="100 % (sha256)s", version="1.0", sha256="c" * 64)
CLAIM = BatchClaim(
    root_sha256="0" * 64,
    batch="1f0d4b52-63f1-4a0e-8c26-5a7f2c3b9d10",
    count=5,
    checkpoint_sha256="d" * 64,
    checkpoint_statement_sha256="e" * 64,
    conduct=CONDUCT,
)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
# More than are written together, so that blocks and levels of every kind are there.
COUNTS = (1, 2, 63, 64, 65, 127, 128, 129, 200)
CONTENTS = st.lists(
    st.builds(
        Content,
        sha256=DIGESTS,
        normalised=st.none() | DIGESTS,
        media_type=st.sampled_from(["text/plain", 'text/x; a="\\b"', "image/png"]),
    ),
    min_size=1,
    max_size=9,
)


def placed_at(index: int, content: Content, tree: merkle.Tree) -> Placed:
    return Placed(
        index=index,
        output=output_id(SALT, index),
        exact_sha256=content.sha256,
        normalised_sha256=content.normalised,
        media_type=content.media_type,
        hashes=tree.proof(index),
    )


@given(CONTENTS)
def test_the_leaves_are_the_outputs_own_statements(contents: list[Content]) -> None:
    tree = Grown.of(CLAIM, contents, SALT).tree
    for index, content in enumerate(contents):
        statement = CLAIM.output(placed_at(index, content, tree)).statement()
        assert tree.levels[0][index] == merkle.leaf_hash(statement.canonical())


@given(CONTENTS)
def test_each_line_is_a_proof_that_leads_to_the_root(contents: list[Content]) -> None:
    entry = LedgerProof.of(1, (LOGGED[0], LOGGED[2]), note=NOTE, verifier=VERIFIER)
    grown = Grown.of(CLAIM, contents, SALT)
    tree = grown.tree
    claim = replace(CLAIM, root_sha256=tree.root.hex(), count=len(contents))
    lines = list(grown.proofs(entry))
    assert lines == [grown.proof(entry, index) for index in range(len(contents))]
    for index, (line, content) in enumerate(zip(lines, contents, strict=True)):
        said, placed = json.loads(line), placed_at(index, content, tree)
        proof = Proof(index=1, hashes=entry.hashes, note=entry.note, extra=placed.canonical())
        assert said == {"sha256": content.sha256, "proof": proof.text()}
        assert claim.find(Placed.parse(Proof.parse(said["proof"]).extra or b"")).output == (
            placed.output
        )


def test_ids_have_the_form_of_a_uuid_and_follow_from_the_salt() -> None:
    ids = {output_id(salt, index) for salt in (SALT, bytes(32)) for index in range(100)}
    assert len(ids) == 200
    assert {tuple(map(len, each.split("-"))) for each in ids} == {(8, 4, 4, 4, 12)}


@pytest.mark.parametrize("count", COUNTS)
def test_every_path_of_a_larger_tree_is_its_leafs(count: int) -> None:
    contents = [Content(f"{index:064x}", None, "text/plain") for index in range(count)]
    grown = Grown.of(CLAIM, contents, SALT)
    entry = LedgerProof.of(0, (), note=NOTE, verifier=VERIFIER)
    for index, line in enumerate(grown.proofs(entry)):
        placed = Placed.parse(Proof.parse(json.loads(line)["proof"]).extra or b"")
        assert (placed.index, placed.hashes) == (index, grown.tree.proof(index))

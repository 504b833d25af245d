# SPDX-License-Identifier: Apache-2.0
"""The ledger's tree: proofs of every shape verify, and nothing else does."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import merkle
from assay.signing.errors import BadTreeHead, NotInLedger
from tests.signing.trees import root_of

MOST = 130
LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(MOST)]


class Store:
    """The stored hashes of complete subtrees, strict: a hash is written once and then only read."""

    def __init__(self) -> None:
        self.hashes: dict[tuple[int, int], bytes] = {}
        self.size = 0

    def subtree(self, level: int, position: int) -> bytes:
        return self.hashes[level, position]

    def append(self, leaves: Sequence[bytes]) -> None:
        new = merkle.new_subtrees(self.size, leaves, self.subtree)
        assert not new.keys() & self.hashes.keys()
        self.hashes |= new
        self.size += len(leaves)


STORE = Store()
STORE.append(LEAVES)
ROOTS = [root_of(LEAVES[:size]) for size in range(MOST + 1)]
SIZES = st.integers(0, MOST)


@given(st.lists(st.integers(0, 9), max_size=20))
def test_appending_in_any_batches_stores_the_same_tree(batches: list[int]) -> None:
    store = Store()
    for count in batches:
        store.append(LEAVES[store.size : store.size + count])
    assert merkle.root_from(store.size, store.subtree) == ROOTS[store.size]
    assert all(STORE.hashes[place] == digest for place, digest in store.hashes.items())


@given(SIZES)
def test_the_root_is_the_standards(size: int) -> None:
    assert merkle.root_from(size, STORE.subtree) == ROOTS[size]


@given(SIZES.filter(bool), st.data())
def test_a_tree_at_hand_has_the_same_proofs(size: int, data: st.DataObject) -> None:
    tree = merkle.Tree.of(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    assert tree.root == ROOTS[size]
    assert tree.proof(index) == merkle.inclusion_proof(index, size, STORE.subtree)


def test_the_proofs_of_all_leaves_of_many_trees_are_those_of_each() -> None:
    places = [(index, size) for size in range(1, 40) for index in range(size)]
    assert merkle.inclusion_proofs(places, STORE.subtree) == [
        merkle.Tree.of(LEAVES[:size]).proof(index) for index, size in places
    ]


@given(SIZES.filter(bool), st.data())
def test_an_inclusion_proof_verifies_for_its_leaf_and_no_other(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, STORE.subtree)
    merkle.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index) | st.none())
    if other is not None:
        with pytest.raises(NotInLedger):
            merkle.verify_inclusion(LEAVES[other], index, size, proof, ROOTS[size])
        with pytest.raises(NotInLedger):
            merkle.verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])


@given(SIZES.filter(bool), st.data())
def test_a_changed_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, STORE.subtree)
    with pytest.raises(NotInLedger, match="hashes, found"):
        merkle.verify_inclusion(LEAVES[index], index, size, (*proof, ROOTS[0]), ROOTS[size])
    for position in range(len(proof)):
        changed = (*proof[:position], ROOTS[0], *proof[position + 1 :])
        with pytest.raises(NotInLedger, match="the proof leads to"):
            merkle.verify_inclusion(LEAVES[index], index, size, changed, ROOTS[size])
        shorter = proof[:position] + proof[position + 1 :]
        with pytest.raises(NotInLedger, match="hashes, found"):
            merkle.verify_inclusion(LEAVES[index], index, size, shorter, ROOTS[size])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (6, 5)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(NotInLedger, match=f"an index below the size {size}, found {index}"):
        merkle.inclusion_proof(index, size, STORE.subtree)
    with pytest.raises(NotInLedger, match=f"an index below the size {size}, found {index}"):
        merkle.verify_inclusion(LEAVES[0], index, size, (), ROOTS[size])


def test_every_consistency_proof_verifies() -> None:
    for new in range(MOST + 1):
        for old in range(new + 1):
            proof = merkle.consistency_proof(old, new, STORE.subtree)
            merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


@given(SIZES.filter(bool), SIZES, st.data())
def test_a_changed_consistency_proof_is_refused(old: int, more: int, data: st.DataObject) -> None:
    new = min(old + more, MOST)
    proof = merkle.consistency_proof(old, new, STORE.subtree)
    with pytest.raises(BadTreeHead):
        merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], (*proof, ROOTS[0]))
    for position in range(len(proof)):
        changed = (*proof[:position], ROOTS[0], *proof[position + 1 :])
        with pytest.raises(BadTreeHead):
            merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], changed)
        shorter = proof[:position] + proof[position + 1 :]
        with pytest.raises(BadTreeHead):
            merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], shorter)


@given(SIZES, SIZES, st.booleans())
def test_another_root_is_not_consistent(old: int, more: int, is_old: bool) -> None:
    new = min(old + more, MOST)
    proof = merkle.consistency_proof(old, new, STORE.subtree)
    old_root, new_root = (LEAVES[-1], ROOTS[new]) if is_old else (ROOTS[old], LEAVES[-1])
    if old == 0 and not is_old:  # an empty tree is a prefix of every tree
        merkle.verify_consistency(old, new, old_root, new_root, proof)
        return
    with pytest.raises(BadTreeHead, match="another history"):
        merkle.verify_consistency(old, new, old_root, new_root, proof)


def test_a_smaller_tree_never_extends_a_larger_one() -> None:
    with pytest.raises(BadTreeHead, match="an old size of at most 4, found 5"):
        merkle.consistency_proof(5, 4, STORE.subtree)
    with pytest.raises(BadTreeHead, match="at least 5 entries, found 4"):
        merkle.verify_consistency(5, 4, ROOTS[5], ROOTS[4], ())


def test_appending_without_the_stored_left_neighbour_is_refused() -> None:
    with pytest.raises(KeyError):
        merkle.new_subtrees(1, LEAVES[1:2], Store().subtree)

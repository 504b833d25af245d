# SPDX-License-Identifier: Apache-2.0
"""Vectors of the ledger's tree: those of certificate-transparency (RFC 6962), then ours."""

from __future__ import annotations

from assay.signing import merkle
from tests.signing.trees import root_of

CT_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
_D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
CT_INCLUSION: list[tuple[int, int, list[str]]] = [
    (0, 1, []),
    (0, 8, [_A, _B, _C]),
    (5, 8, [_D, _E, CT_ROOTS[4]]),
    (2, 3, [CT_ROOTS[2]]),
    (1, 5, [CT_ROOTS[1], _B, _D]),
]
CT_CONSISTENCY: list[tuple[int, int, list[str]]] = [
    (1, 1, []),
    (1, 8, [_A, _B, _C]),
    (6, 8, [_F, _E, CT_ROOTS[4]]),
    (2, 5, [_B, _D]),
]


def merkle_vectors() -> dict[str, object]:
    """The standard's tree of eight leaves, every proof in trees of up to eleven, and bad proofs."""
    ours = [bytes([number]) * number for number in range(11)]
    return {
        "source": "certificate-transparency, merkletree/merkle_tree_test.cc; RFC 9162, 2.1",
        "trees": [
            _tree([bytes.fromhex(leaf) for leaf in CT_LEAVES], CT_ROOTS, are_all=False),
            _tree(ours, None),
        ],
        "refused": [*_bad_inclusion(), *_bad_consistency()],
    }


def _bad_inclusion() -> list[dict[str, object]]:
    # A proof binds the size only through the tree head: seven leaves would have the same path.
    leaf = merkle.leaf_hash(bytes.fromhex(CT_LEAVES[5])).hex()
    good = {
        "leaf": leaf,
        "index": 5,
        "size": 8,
        "proof": [_D, _E, CT_ROOTS[4]],
        "root": CT_ROOTS[8],
    }
    changes: dict[str, dict[str, object]] = {
        "another leaf": {"leaf": _A},
        "another index": {"index": 4},
        "an index on the other side": {"index": 1},
        "an index past the end": {"index": 8},
        "an index below zero": {"index": -1},
        "a larger tree": {"size": 16},
        "an empty tree": {"index": 0, "size": 0, "proof": []},
        "another root": {"root": CT_ROOTS[7]},
        "a hash too few": {"proof": [_D, _E]},
        "a hash too many": {"proof": [_D, _E, CT_ROOTS[4], _A]},
        "hashes in another order": {"proof": [_E, _D, CT_ROOTS[4]]},
        "no hashes": {"proof": []},
    }
    return [{"why": why, **good, **change} for why, change in changes.items()]


def _bad_consistency() -> list[dict[str, object]]:
    good = {
        "old": 6,
        "new": 8,
        "proof": [_F, _E, CT_ROOTS[4]],
        "old_root": CT_ROOTS[6],
        "new_root": CT_ROOTS[8],
    }
    changes: dict[str, dict[str, object]] = {
        "another old root": {"old_root": CT_ROOTS[5]},
        "another new root": {"new_root": CT_ROOTS[7]},
        "another old size": {"old": 5},
        "a larger new tree": {"new": 16},
        "a tree that shrinks": {"old": 8, "new": 6},
        "a hash too few": {"proof": [_F, _E]},
        "a hash too many": {"proof": [_F, _E, CT_ROOTS[4], _A]},
        "no hashes": {"proof": []},
        "a changed hash": {"proof": [_F, _A, CT_ROOTS[4]]},
        "hashes between equal trees": {"old": 8, "old_root": CT_ROOTS[8]},
        "equal sizes, other roots": {"old": 8, "proof": []},
        "hashes from an empty tree": {"old": 0, "old_root": CT_ROOTS[0]},
        "an empty tree of another root": {"old": 0, "proof": []},
    }
    return [{"why": why, **good, **change} for why, change in changes.items()]


def _tree(
    leaves: list[bytes], roots: list[str] | None, *, are_all: bool = True
) -> dict[str, object]:
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    stored = merkle.new_subtrees(0, hashes, lambda *_: b"")
    sizes = range(1, len(leaves) + 1)

    def read(level: int, position: int) -> bytes:
        return stored[level, position]

    inclusion, consistency = CT_INCLUSION, CT_CONSISTENCY
    if are_all:
        inclusion = [
            (index, size, [each.hex() for each in merkle.inclusion_proof(index, size, read)])
            for size in sizes
            for index in range(size)
        ]
        consistency = [
            (old, new, [each.hex() for each in merkle.consistency_proof(old, new, read)])
            for new in sizes
            for old in range(1, new + 1)
        ]
    found = [root_of(hashes[:size]).hex() for size in range(len(leaves) + 1)]
    return {
        "leaves": [leaf.hex() for leaf in leaves],
        "roots": roots or found,
        "inclusion": [{"index": i, "size": n, "proof": p} for i, n, p in inclusion],
        "consistency": [{"old": o, "new": n, "proof": p} for o, n, p in consistency],
    }

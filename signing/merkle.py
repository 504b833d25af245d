# SPDX-License-Identifier: Apache-2.0
"""The ledger's tree: RFC 9162, section 2, over the stored hashes of complete subtrees.

`subtree(level, position)` reads the hash of the complete subtree over 2**level leaves that is the
`position`-th of its level; level 0 holds the leaf hashes. Such hashes never change once written,
so a tree of any size is read from them and nothing else; where they are stored is left to others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Self, TypeAlias

from .errors import BadTreeHead, NotInLedger
from .values import dataclass

Subtree: TypeAlias = Callable[[int, int], bytes]

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """All hashes of a tree that does not grow, for proofs of all its leaves at once.

    Each level is half of the one before; a hash that is alone at its end goes up as it is.
    """

    levels: tuple[tuple[bytes, ...], ...]

    @classmethod
    def of(cls, leaf_hashes: Sequence[bytes]) -> Self:
        """The tree over these leaves, of which there is at least one."""
        level = tuple(leaf_hashes)
        levels = [level]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            above = tuple(node_hash(left, right) for left, right in pairs)
            level = above + level[-1:] if len(level) % 2 else above
            levels.append(level)
        return cls(levels=tuple(levels))

    @property
    def root(self) -> bytes:
        """Its root."""
        return self.levels[-1][0]

    def path(self, index: int) -> list[tuple[int, int]]:
        """Where the hashes are, by level and position, that lead from a leaf to the root."""
        found: list[tuple[int, int]] = []
        for number, level in enumerate(self.levels[:-1]):
            sibling = index ^ 1
            if sibling < len(level):
                found.append((number, sibling))
            index >>= 1
        return found

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The hashes themselves, as `inclusion_proof` has them."""
        return tuple(self.levels[level][position] for level, position in self.path(index))


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162, 2.1.1: the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1: the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from(size: int, subtree: Subtree) -> bytes:
    """The root of the first `size` leaves."""
    return _range_root(0, size, subtree) if size else EMPTY_ROOT


def new_subtrees(
    size: int, leaf_hashes: Sequence[bytes], subtree: Subtree
) -> dict[tuple[int, int], bytes]:
    """Every (level, position) that appending leaves to a tree of `size` completes."""
    completed: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(leaf_hashes, start=size):
        level, position, digest = 0, index, leaf
        completed[level, position] = digest
        while position % 2:  # a right child completes its parent
            left = completed.get((level, position - 1)) or subtree(level, position - 1)
            level, position, digest = level + 1, position // 2, node_hash(left, digest)
            completed[level, position] = digest
    return completed


def inclusion_proof(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """RFC 9162, 2.1.3.1: the hashes that lead from a leaf to the root of the first `size`."""
    (proof,) = inclusion_proofs([(index, size)], subtree)
    return proof


def inclusion_proofs(
    places: Iterable[tuple[int, int]], subtree: Subtree
) -> list[tuple[bytes, ...]]:
    """The same of many leaves, each an index and a size; what their paths share is found once."""
    root = cache(partial(_range_root, subtree=subtree))
    return [_inclusion_proof(index, size, root) for index, size in places]


def _inclusion_proof(index: int, size: int, root: Callable[[int, int], bytes]) -> tuple[bytes, ...]:
    if not 0 <= index < size:
        raise NotInLedger(f"expected an index below the size {size}, found {index}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            proof.append(root(middle, end))
            end = middle
        else:
            proof.append(root(start, middle))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, new: int, subtree: Subtree) -> tuple[bytes, ...]:
    """RFC 9162, 2.1.4.1: the hashes that show the first `old` leaves to be a prefix of `new`."""
    if not 0 <= old <= new:
        raise BadTreeHead(f"expected an old size of at most {new}, found {old}")
    if old in {0, new}:
        return ()
    proof: list[bytes] = []
    start, end = 0, new
    while end != old:
        middle = start + _largest_power_below(end - start)
        if old <= middle:
            proof.append(_range_root(middle, end, subtree))
            end = middle
        else:
            proof.append(_range_root(start, middle, subtree))
            start = middle
    if start:  # else the verifier knows this hash: it is the old root
        proof.append(_range_root(start, end, subtree))
    return tuple(reversed(proof))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """RFC 9162, 2.1.3.2: raise `NotInLedger` unless the leaf hash is the `index`-th of `size`."""
    if not 0 <= index < size:
        raise NotInLedger(f"expected an index below the size {size}, found {index}")
    inner, border = _path_lengths(index, size)
    if len(proof) != inner + border:
        raise NotInLedger(f"expected a proof of {inner + border} hashes, found {len(proof)}")
    found = _climb_border(_climb_inner(leaf, index, proof[:inner]), proof[inner:])
    if found != root:
        raise NotInLedger(f"expected the root {root.hex()}, the proof leads to {found.hex()}")


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """RFC 9162, 2.1.4.2: raise `BadTreeHead` unless the old tree is a prefix of the new one."""
    if not 0 <= old_size <= new_size:
        raise BadTreeHead(f"expected a tree of at least {old_size} entries, found {new_size}")
    if old_size in {0, new_size}:  # an empty tree is a prefix of each, and each tree of itself
        shared = new_root if old_size else EMPTY_ROOT
        _check_consistency((old_root, len(proof)), (shared, 0))
        return
    # Both roots are climbed to from the last complete subtree that the old tree ends in.
    level = (old_size & -old_size).bit_length() - 1
    inner, border = _path_lengths(old_size - 1, new_size)
    inner -= level
    is_complete = old_size == 1 << level  # then that subtree is the old tree itself
    expected = inner + border + (0 if is_complete else 1)
    _check_consistency(len(proof), expected)
    seed, path = (old_root, proof) if is_complete else (proof[0], proof[1:])
    index = (old_size - 1) >> level
    left_only = [digest for bit, digest in enumerate(path[:inner]) if index >> bit & 1]
    _check_consistency(_climb_border(seed, [*left_only, *path[inner:]]), old_root)
    _check_consistency(
        _climb_border(_climb_inner(seed, index, path[:inner]), path[inner:]), new_root
    )


def _check_consistency(found: object, expected: object) -> None:
    if found != expected:
        raise BadTreeHead("expected a proof that one tree extends the other, found another history")


def _path_lengths(index: int, size: int) -> tuple[int, int]:
    """How many hashes lead up from a leaf: below the tree's right border, and along it."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _climb_inner(digest: bytes, index: int, path: Sequence[bytes]) -> bytes:
    """Go up one level a hash; the bits of the index say on which side each stands."""
    for bit, sibling in enumerate(path):
        is_right = index >> bit & 1
        digest = node_hash(sibling, digest) if is_right else node_hash(digest, sibling)
    return digest


def _climb_border(digest: bytes, path: Sequence[bytes]) -> bytes:
    """Go up along the right border, where every sibling stands to the left."""
    for sibling in path:
        digest = node_hash(sibling, digest)
    return digest


def _range_root(start: int, end: int, subtree: Subtree) -> bytes:
    """The root over leaves start..end of a tree, where start is aligned as the tree splits it."""
    return _fold([subtree(level, position) for level, position in _complete(start, end)])


def _fold(pieces: list[bytes]) -> bytes:
    """The root over complete subtrees of falling size, of which there is at least one."""
    digest = pieces.pop()
    while pieces:
        digest = node_hash(pieces.pop(), digest)
    return digest


def _complete(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The largest complete subtrees that make up an aligned range, from left to right."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _largest_power_below(count: int) -> int:
    """The largest power of two smaller than `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)

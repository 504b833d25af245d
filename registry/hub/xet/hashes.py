# SPDX-License-Identifier: Apache-2.0
"""Names in Xet: keyed BLAKE3 of a chunk, the tree over chunks, and how hashes are written.

The specification (huggingface.co/docs/xet, 1.1.0, "Hashing") has the keys; they are no secrets.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

from blake3 import blake3

from .errors import InvalidHash

HASH_BYTES = 32
DATA_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
RANGE_KEY = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")
NOTHING = bytes(HASH_BYTES)
# A node of the tree ends with a child whose last word is a multiple of this, but has two before it,
# and never more than twice as many and one.
BRANCHES = 4
LEAST_CHILDREN, MOST_CHILDREN = 2, 2 * BRANCHES + 1
_WORDS = struct.Struct("<4Q")
_TEXT = re.compile(r"[0-9a-f]{64}")

Node = tuple[bytes, int]
"""A hash, and how many bytes of content are below it."""


def written(found: bytes) -> str:
    """As Xet writes it: four little-endian words as numbers, and not the bytes in their order."""
    return "".join(f"{word:016x}" for word in _WORDS.unpack(found))


def read(text: str) -> bytes:
    """The hash that is written so; raises InvalidHash."""
    if not _TEXT.fullmatch(text):
        raise InvalidHash(f"expected 64 lower-case hexadecimal digits, found {text[:80]!a}")
    return _WORDS.pack(*(int(text[start : start + 16], 16) for start in range(0, 64, 16)))


def of_chunk(content: bytes | memoryview) -> bytes:
    """The hash of a chunk."""
    return blake3(content, key=DATA_KEY).digest()


def of_range(hashes: bytes) -> bytes:
    """What proves that somebody knows these chunks' hashes, which follow each other."""
    return blake3(hashes, key=RANGE_KEY).digest()


def of_tree(leaves: Sequence[Node]) -> bytes:
    """The hash of a xorb with these chunks."""
    level = list(leaves)
    while len(level) > 1:
        level = list(_parents(level))
    return level[0][0] if level else NOTHING


def _parents(level: Sequence[Node]) -> Iterator[Node]:
    start = 0
    while start < len(level):
        end = _end_of_node(level, start)
        yield _node(level[start:end])
        start = end


def _end_of_node(level: Sequence[Node], start: int) -> int:
    last = min(start + MOST_CHILDREN, len(level))
    for index in range(start + LEAST_CHILDREN, last):
        if _WORDS.unpack(level[index][0])[3] % BRANCHES == 0:
            return index + 1
    return last


def _node(children: Sequence[Node]) -> Node:
    lines = "".join(f"{written(child)} : {size_bytes}\n" for child, size_bytes in children)
    size_bytes = sum(size_bytes for _, size_bytes in children)
    return blake3(lines.encode(), key=NODE_KEY).digest(), size_bytes

# SPDX-License-Identifier: Apache-2.0
"""The index of a xorb: its chunks' hashes and lengths, 36 bytes for each, as rows keep it."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate

from .hashes import HASH_BYTES, Node

_ENTRY = struct.Struct(f"<{HASH_BYTES}sI")


def packed(chunks: Iterable[Node]) -> bytes:
    """As a row keeps it."""
    return b"".join(_ENTRY.pack(*chunk) for chunk in chunks)


class Chunks:
    """An index that was kept; chunks are numbered from 0, and ranges end before their end."""

    def __init__(self, content: bytes) -> None:
        entries = list(_ENTRY.iter_unpack(content))
        self._hashes = b"".join(found for found, _ in entries)
        # Where each chunk begins in the bytes of them all, and where the last one ends.
        self._starts: Sequence[int] = array(
            "Q", accumulate((size for _, size in entries), initial=0)
        )

    def __len__(self) -> int:
        return len(self._starts) - 1

    def hashes(self, first: int, end: int) -> bytes:
        """The hashes of some chunks, one after the other."""
        return self._hashes[first * HASH_BYTES : end * HASH_BYTES]

    def start(self, index: int) -> int:
        """How many bytes are before this chunk."""
        return self._starts[index]

    def size_bytes(self, first: int, end: int) -> int:
        """How long some chunks are together."""
        return self._starts[end] - self._starts[first]

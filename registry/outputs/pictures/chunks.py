# SPDX-License-Identifier: Apache-2.0
"""The manifest store in a PNG file that was walked before: read, or left out."""

from __future__ import annotations

from collections.abc import Iterator

from registry.catalog.content.formats.images import PNG_MAGIC

STORE = b"caBX"  # C2PA 2.2, A.3.3: the chunk of a PNG's manifest store
_BODY_AT = 8  # behind its length and its name (PNG, 5.3)
_CHECKSUM_BYTES = 4
_FRAME_BYTES = _BODY_AT + _CHECKSUM_BYTES


def store(png: bytes) -> bytes | None:
    """The manifest store that the file has, if it has one."""
    for name, start, end in _walk(png):
        if name == STORE:
            return png[start + _BODY_AT : end - _CHECKSUM_BYTES]
    return None


def without_store(png: bytes) -> bytes:
    """The file as it was before a manifest was embedded in it."""
    kept = (png[start:end] for name, start, end in _walk(png) if name != STORE)
    return png[: len(PNG_MAGIC)] + b"".join(kept)


def _walk(png: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Of each chunk its name, where it begins, and where the next one does."""
    at = len(PNG_MAGIC)
    while at + _FRAME_BYTES <= len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        end = at + _FRAME_BYTES + length
        yield png[at + 4 : at + _BODY_AT], at, end
        at = end

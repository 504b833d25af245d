# SPDX-License-Identifier: Apache-2.0
"""Which files are large ones to clients of the Hub and to git-lfs, and the pointers to those.

Decided here once: how a file is uploaded, listed, tagged and served as text all follow from it.
"""

from __future__ import annotations

from registry.storage.git import MAX_BYTES, blob_oid

from .formats import ending

__all__ = ["MAX_BYTES", "is_large", "pointer", "pointer_oid"]

# Weights, whatever their size: the Hub's own default lists these endings, too.
WEIGHTS = frozenset({".safetensors", ".gguf"})


def is_large(name: str, size_bytes: int) -> bool:
    """Whether it is named by its SHA-256, behind a pointer; else git's own name is its name."""
    return size_bytes > MAX_BYTES or ending(name) in WEIGHTS


def pointer(sha256: str, size_bytes: int) -> bytes:
    """What stands in a git repository in place of a large file (git-lfs, docs/spec.md)."""
    lines = (
        "version https://git-lfs.github.com/spec/v1",
        f"oid sha256:{sha256}",
        f"size {size_bytes}",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def pointer_oid(sha256: str, size_bytes: int) -> str:
    """What git calls the pointer: a few bytes, so it is made when it is asked for."""
    return blob_oid(pointer(sha256, size_bytes))

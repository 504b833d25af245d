# SPDX-License-Identifier: Apache-2.0
"""The content gate's one question: whether this file, under this name, may be in a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from . import pickles, plain_text, safetensors, sniff, strict_json
from .refused import Refused

CARD_NAME = "readme.md"


class Format(StrEnum):
    """What a checkpoint's files can be."""

    SAFETENSORS = "safetensors"
    JSON = "json"
    TEXT = "text"


FORMATS: Mapping[str, Format] = {
    ".safetensors": Format.SAFETENSORS,
    ".json": Format.JSON,
    ".md": Format.TEXT,
    ".txt": Format.TEXT,
}


def check(name: str, path: Path) -> None:
    """Raises Refused unless the file at `path` is what `name` promises, and that is on the list."""
    kind = FORMATS.get(os.path.splitext(name.lower())[1])  # noqa: PTH122 - a name, not a path here
    size_bytes = path.stat().st_size
    disguise = "a pickle" if pickles.is_pickle(path) else sniff.found(*_ends(path, size_bytes))
    if kind is None:
        expected = f"a file ending in {', '.join(FORMATS)}"
        raise Refused(expected, disguise or "another ending")
    if disguise is not None:
        raise Refused(f"{kind} content", disguise)
    match kind:
        case Format.SAFETENSORS:
            safetensors.check(path)
        case Format.JSON:
            strict_json.parse(_whole(path, size_bytes, strict_json.MAX_BYTES))
        case Format.TEXT:
            is_card = name.lower() == CARD_NAME
            limit = plain_text.MAX_CARD_BYTES if is_card else plain_text.MAX_BYTES
            content = _whole(path, size_bytes, limit)
            plain_text.check(content)


def _ends(path: Path, size_bytes: int) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(sniff.HEAD_BYTES)
        file.seek(max(0, size_bytes - sniff.TAIL_BYTES))
        return head, file.read()


def _whole(path: Path, size_bytes: int, limit: int) -> bytes:
    if size_bytes > limit:
        raise Refused(f"at most {limit} bytes", f"{size_bytes}")
    return path.read_bytes()

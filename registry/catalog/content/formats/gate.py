# SPDX-License-Identifier: Apache-2.0
"""The content gate's one question: whether this file, under this name, may be in a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from . import front_matter, gguf, images, pickles, plain_text, safetensors, sniff, strict_json
from .endings import ending
from .refused import Refused
from .tensors import Tensors

CARD_NAME = "readme.md"
AUTO_MAP = "auto_map"  # transformers' key: classes of the checkpoint's own Python files


class Format(StrEnum):
    """What a checkpoint's files can be."""

    SAFETENSORS = "safetensors"
    GGUF = "GGUF"
    JSON = "JSON"
    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"
    PYTHON = "Python"
    TEXT = "text"


FORMATS: Mapping[str, Format] = {
    ".safetensors": Format.SAFETENSORS,
    ".gguf": Format.GGUF,
    ".json": Format.JSON,
    ".png": Format.PNG,
    ".jpg": Format.JPEG,
    ".jpeg": Format.JPEG,
    ".webp": Format.WEBP,
    ".py": Format.PYTHON,
    ".md": Format.TEXT,
    ".txt": Format.TEXT,
}
PICTURES = {
    Format.PNG: images.check_png,
    Format.JPEG: images.check_jpeg,
    Format.WEBP: images.check_webp,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A file that may be in a checkpoint. The registry runs none of them; who loads it may."""

    format: Format
    needs_code: bool = False
    """Whether loaders run Python of the checkpoint's own for it, if they are told to trust it."""
    tensors: Tensors | None = None
    """What the header of a safetensors file says."""


def check(name: str, path: Path) -> Accepted:
    """Raises Refused unless the file at `path` is what `name` promises, or plain text."""
    size_bytes = path.stat().st_size
    disguise = "a pickle" if pickles.is_pickle(path) else sniff.found(*_ends(path, size_bytes))
    kind = FORMATS.get(ending(name))
    if disguise is not None and (kind, disguise) != (Format.GGUF, sniff.GGUF):
        raise Refused(f"{kind} content" if kind else _expected(), disguise)
    match kind:
        case Format.SAFETENSORS:
            return Accepted(format=kind, tensors=safetensors.check(path))
        case Format.GGUF:
            gguf.check(path)
        case Format.JSON:
            value = strict_json.parse(_whole(path, size_bytes, strict_json.MAX_BYTES))
            has_code = isinstance(value, dict) and AUTO_MAP in value
            return Accepted(format=kind, needs_code=has_code)
        case Format.PNG | Format.JPEG | Format.WEBP:
            PICTURES[kind](_whole(path, size_bytes, images.MAX_BYTES))
        case _:
            _check_text(name, path, size_bytes, is_named=kind is not None)
    return Accepted(format=kind or Format.TEXT, needs_code=kind is Format.PYTHON)


def _check_text(name: str, path: Path, size_bytes: int, *, is_named: bool) -> None:
    is_card = name.lower() == CARD_NAME
    limit = plain_text.MAX_CARD_BYTES if is_card else plain_text.MAX_BYTES
    try:
        text = plain_text.read(_whole(path, size_bytes, limit))
    except Refused as refused:
        if is_named:
            raise
        raise Refused(_expected(), refused.found) from refused
    if is_card:
        front_matter.read(text)


def _expected() -> str:
    return f"text, or a file ending in {', '.join(FORMATS)}"


def _ends(path: Path, size_bytes: int) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(sniff.HEAD_BYTES)
        file.seek(max(0, size_bytes - sniff.TAIL_BYTES))
        return head, file.read()


def _whole(path: Path, size_bytes: int, limit: int) -> bytes:
    if size_bytes > limit:
        raise Refused(f"at most {limit} bytes", f"{size_bytes}")
    return path.read_bytes()

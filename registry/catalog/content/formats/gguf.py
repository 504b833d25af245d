# SPDX-License-Identifier: Apache-2.0
"""GGUF files: the header is walked, and every byte behind it belongs to a tensor or is padding.

The format is ggml's (docs/gguf.md there), versions 2 and 3, little-endian. Nothing of the header is
kept or evaluated: a chat template in it is text for whoever loads the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .cursor import Cursor
from .refused import Refused

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_HEADER_BYTES = 25_000_000  # as for safetensors; a vocabulary of 260,000 takes about 12 MB
MAX_TENSORS = 100_000
MAX_KEYS = 65_536
MAX_KEY_BYTES = 65_535  # the format's own
MAX_NAME_BYTES = 63  # GGML_MAX_NAME, less its end
MAX_DIMENSIONS = 4  # GGML_MAX_DIMS
ALIGNMENT_KEY = b"general.alignment"
DEFAULT_ALIGNMENT, MAX_ALIGNMENT = 32, 65_536
COUNT_BYTES, KIND_BYTES = 8, 4
BOOL, STRING, ARRAY, UINT32 = 7, 8, 9, 4
VALUE_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, BOOL: 1, 10: 8, 11: 8, 12: 8}
# ggml's types of tensors that files hold: how many elements a block has, and how many bytes.
BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4),  # F32
    1: (1, 2),  # F16
    2: (32, 18),  # Q4_0
    3: (32, 20),  # Q4_1
    6: (32, 22),  # Q5_0
    7: (32, 24),  # Q5_1
    8: (32, 34),  # Q8_0
    10: (256, 84),  # Q2_K
    11: (256, 110),  # Q3_K
    12: (256, 144),  # Q4_K
    13: (256, 176),  # Q5_K
    14: (256, 210),  # Q6_K
    15: (256, 292),  # Q8_K
    16: (256, 66),  # IQ2_XXS
    17: (256, 74),  # IQ2_XS
    18: (256, 98),  # IQ3_XXS
    19: (256, 50),  # IQ1_S
    20: (32, 18),  # IQ4_NL
    21: (256, 110),  # IQ3_S
    22: (256, 82),  # IQ2_S
    23: (256, 136),  # IQ4_XS
    24: (1, 1),  # I8
    25: (1, 2),  # I16
    26: (1, 4),  # I32
    27: (1, 8),  # I64
    28: (1, 8),  # F64
    29: (256, 56),  # IQ1_M
    30: (1, 2),  # BF16
    34: (256, 54),  # TQ1_0
    35: (256, 66),  # TQ2_0
    39: (32, 17),  # MXFP4
    40: (64, 36),  # NVFP4
    41: (128, 18),  # Q1_0
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Tensor:
    """Where a tensor's bytes begin, counted from the end of the header, and how many they are."""

    offset: int
    size_bytes: int
    name: str


def check(path: Path) -> None:
    """Raises Refused unless the file is a GGUF file to its last byte.

    1. It says what it is, in a version that is read today, and how much it holds.
    2. Each key is there once, and each value of a known type.
    3. Each tensor has a name of its own, a known type, and whole blocks.
    4. The tensors lie in order, each aligned, with zeros between them and nothing after the last.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        header = Cursor(content=file.read(MAX_HEADER_BYTES))
        tensor_count, key_count = _counts(header)  # 1
        alignment = _keys(header, key_count)  # 2
        tensors = _tensors(header, tensor_count, alignment)  # 3
        _check_layout(file, sorted(tensors), header.at, size_bytes, alignment)  # 4


def _counts(header: Cursor) -> tuple[int, int]:
    magic = header.take(len(MAGIC), "magic")
    if magic != MAGIC:
        raise Refused("a file that begins with GGUF", f"{magic!r}")
    version = header.number(4, "version")
    if version not in VERSIONS:
        raise Refused("GGUF in version 2 or 3, little-endian", f"version {version:#x}")
    tensors, keys = (header.number(COUNT_BYTES, "a count") for _ in range(2))
    if tensors > MAX_TENSORS:
        raise Refused(f"at most {MAX_TENSORS} tensors", f"{tensors}")
    if keys > MAX_KEYS:
        raise Refused(f"at most {MAX_KEYS} keys", f"{keys}")
    return tensors, keys


def _keys(header: Cursor, count: int) -> int:
    """Walk past keys and values; the alignment that they state."""
    seen: set[bytes] = set()
    alignment = DEFAULT_ALIGNMENT
    for _ in range(count):
        key = _text(header, "a key", MAX_KEY_BYTES)
        if key in seen:
            raise Refused("each key once", f"{_shown(key)} twice")
        seen.add(key)
        kind = header.number(KIND_BYTES, "a type")
        if key == ALIGNMENT_KEY:
            alignment = _alignment(header, kind)
        else:
            _skip_value(header, kind, key)
    return alignment


def _alignment(header: Cursor, kind: int) -> int:
    found = header.number(4, "the alignment") if kind == UINT32 else 0
    if found % 8 or found.bit_count() != 1 or found > MAX_ALIGNMENT:
        raise Refused(f"an alignment of 8, 16, 32 … {MAX_ALIGNMENT}", f"{found} of type {kind}")
    return found


def _skip_value(header: Cursor, kind: int, key: bytes) -> None:
    if kind != ARRAY:
        _skip_values(header, kind, 1, key)
        return
    kind = header.number(KIND_BYTES, "a type")
    count = header.number(COUNT_BYTES, "a count")
    _skip_values(header, kind, count, key)


def _skip_values(header: Cursor, kind: int, count: int, key: bytes) -> None:
    what = f"values of {_shown(key)}"
    if kind == STRING:
        _skip_strings(header, count, what)
        return
    if kind not in VALUE_BYTES:
        raise Refused(f"{what} of a known type", f"type {kind}")
    if kind == BOOL and header.take(count, what).strip(b"\0\1"):
        raise Refused(f"{what} that are 0 or 1", "others")
    if kind != BOOL:
        header.skip(count * VALUE_BYTES[kind], what)


def _skip_strings(header: Cursor, count: int, what: str) -> None:
    """Vocabularies have hundreds of thousands: no call for each of them."""
    if count > len(header.content) // COUNT_BYTES:
        raise Refused(f"{what} within a header of {MAX_HEADER_BYTES} bytes", f"{count} texts")
    content, at = header.content, header.at
    for _ in range(count):
        at += COUNT_BYTES + int.from_bytes(content[at : at + COUNT_BYTES], "little")
    header.skip(at - header.at, what)


def _tensors(header: Cursor, count: int, alignment: int) -> list[_Tensor]:
    found: dict[str, _Tensor] = {}
    for _ in range(count):
        tensor = _tensor(header, alignment)
        if tensor.name in found:
            raise Refused("each tensor once", f"{tensor.name} twice")
        found[tensor.name] = tensor
    return list(found.values())


def _tensor(header: Cursor, alignment: int) -> _Tensor:
    name = _shown(_text(header, "a tensor's name", MAX_NAME_BYTES))
    dimensions = header.number(4, f"dimensions of {name}")
    if dimensions > MAX_DIMENSIONS:
        raise Refused(f"tensor {name} of at most {MAX_DIMENSIONS} dimensions", f"{dimensions}")
    shape = [header.number(COUNT_BYTES, f"a size of {name}") for _ in range(dimensions)]
    kind = header.number(KIND_BYTES, f"the type of {name}")
    if kind not in BLOCKS:
        raise Refused(f"a known type for tensor {name}", f"type {kind}")
    elements, block_bytes = BLOCKS[kind]
    row = shape[0] if shape else 1
    if row % elements:
        raise Refused(f"rows of whole blocks of {elements} for tensor {name}", f"rows of {row}")
    offset = header.number(COUNT_BYTES, f"the offset of {name}")
    if offset % alignment:
        raise Refused(f"tensor {name} at a multiple of {alignment}", f"it at {offset}")
    size_bytes = math.prod(shape) // elements * block_bytes
    return _Tensor(offset=offset, size_bytes=size_bytes, name=name)


def _check_layout(
    file: BinaryIO, tensors: list[_Tensor], header_bytes: int, size_bytes: int, alignment: int
) -> None:
    """`header_bytes` is where the tensors' infos end."""
    start = _aligned(header_bytes, alignment)
    at = 0
    gaps = [(header_bytes, start)]
    for tensor in tensors:
        if tensor.offset != at:
            raise Refused(f"tensor {tensor.name} to begin at {at}", f"it at {tensor.offset}")
        end = at + tensor.size_bytes
        at = _aligned(end, alignment)
        gaps.append((start + end, start + at))
    last = gaps.pop()
    if size_bytes not in range(last[0], last[1] + 1):
        raise Refused(f"a file of {last[0]} bytes, as its tensors take", f"one of {size_bytes}")
    for begin, end in (*gaps, (last[0], size_bytes)):
        _check_zeros(file, begin, end)


def _check_zeros(file: BinaryIO, begin: int, end: int) -> None:
    file.seek(begin)
    if file.read(end - begin).strip(b"\0"):
        raise Refused(f"zeros between tensors at {begin}", "other bytes")


def _text(header: Cursor, what: str, most: int) -> bytes:
    length = header.number(COUNT_BYTES, what)
    if not 0 < length <= most:
        raise Refused(f"{what} of 1 to {most} bytes at {header.at}", f"one of {length}")
    return header.take(length, what)


def _shown(text: bytes) -> str:
    return ascii(text[:80].decode("utf-8", "backslashreplace"))


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment

# SPDX-License-Identifier: Apache-2.0
"""safetensors files: their header is checked so that every byte of the file belongs to one tensor.

Written out here, because a gate must bound its work before it parses: the reference library takes
seconds and gigabytes for hostile headers (measured). Tests compare its verdicts with these. What
passes can be signed: the limits are those of statements about tensors (assay.signing.tensors).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import cast

from assay.signing.canonical import MAX_INTEGER
from assay.signing.tensors import (
    LENGTH_BYTES,
    MAX_DIMENSIONS,
    MAX_HEADER_BYTES,
    MAX_HEADER_DEPTH,
    MAX_NAME_CHARACTERS,
    MAX_TENSORS,
)

from . import strict_json
from .refused import Refused
from .tensors import Entry, Tensors

MAX_HEADER_MEMBERS = 1_000_000
METADATA = "__metadata__"
INTEGERS = frozenset({int})  # true and false are none
FIELDS = frozenset({"dtype", "shape", "data_offsets"})
BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}


def check(path: Path) -> Tensors:
    """What is in it; raises Refused unless it is a safetensors file to its last byte.

    1. The header's length is within the limit and within the file.
    2. The header is one strict JSON object, from `{` on, in the bytes announced.
    3. Metadata is text; each tensor has a known type, a shape, and as many bytes as they take.
    4. The tensors lie end to end: no gap, no overlap, nothing after the last.
    """
    content = _content(path, MAX_HEADER_BYTES)  # 1
    header = _parse(content)  # 2
    _check_metadata(header.pop(METADATA, {}))  # 3
    if len(header) > MAX_TENSORS:
        raise Refused(f"at most {MAX_TENSORS} tensors", f"{len(header)}")
    spans = sorted(_span(name, tensor) for name, tensor in header.items())
    _check_end_to_end(spans, path.stat().st_size - LENGTH_BYTES - len(content))  # 4
    checked = cast("dict[str, Entry]", header)  # by _span, each of them
    return Tensors.of(checked, [name for _, _, name in spans])


def header(path: Path, *, most_bytes: int = MAX_HEADER_BYTES) -> dict[str, object]:
    """The header alone, its metadata with it; raises Refused."""
    return _parse(_content(path, min(most_bytes, MAX_HEADER_BYTES)))


def _content(path: Path, most_bytes: int) -> bytes:
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(LENGTH_BYTES)
        length = int.from_bytes(prefix, "little")
        if len(prefix) < LENGTH_BYTES:
            raise Refused(f"a header length of {LENGTH_BYTES} bytes", f"{len(prefix)} bytes in all")
        if length > most_bytes:
            raise Refused(f"a header of at most {most_bytes} bytes", f"one of {length}")
        if length > size_bytes - LENGTH_BYTES:
            raise Refused(f"a header within the file of {size_bytes} bytes", f"one of {length}")
        return file.read(length)


def _parse(content: bytes) -> dict[str, object]:
    if not content.startswith(b"{"):
        raise Refused("a header that starts with {", f"{content[:1]!r}")
    header = strict_json.parse(content, max_depth=MAX_HEADER_DEPTH, max_members=MAX_HEADER_MEMBERS)
    if b"\\u" in content:  # an escape can smuggle in half a surrogate pair, which no UTF-8 holds
        _check_text(header)
    return cast("dict[str, object]", header)  # what starts with { and parses is an object


def _check_text(header: object) -> None:
    try:
        json.dumps(header, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Refused("names and metadata of whole characters", "half a surrogate pair") from error


def _check_metadata(metadata: object) -> None:
    if not isinstance(metadata, dict) or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        raise Refused("metadata of text only", "something else")


def _span(name: str, tensor: object) -> tuple[int, int, str]:
    """Where the tensor's bytes are, if it takes as many as its type and shape say."""
    if not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise Refused(f"names of tensors of 1 to {MAX_NAME_CHARACTERS} characters", f"{len(name)}")
    if not isinstance(tensor, dict) or tensor.keys() != FIELDS:
        raise Refused(f"tensor {_shown(name)} with dtype, shape and data_offsets", "other fields")
    dtype, shape = tensor["dtype"], tensor["shape"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise Refused(f"a dtype of {', '.join(BITS)} for tensor {_shown(name)}", ascii(dtype)[:40])
    if not _are_sizes(shape, MAX_DIMENSIONS):
        raise Refused(f"a shape of whole numbers for tensor {_shown(name)}", "something else")
    if not _are_sizes(tensor["data_offsets"], 2) or len(tensor["data_offsets"]) != 2:  # noqa: PLR2004 - begin and end
        raise Refused(f"two data_offsets for tensor {_shown(name)}", "something else")
    begin, end = tensor["data_offsets"]
    expected = math.prod(shape) * BITS[dtype] // 8
    if end - begin != expected:
        raise Refused(
            f"{expected} bytes for tensor {_shown(name)}", f"offsets from {begin} to {end}"
        )
    return begin, end, name


def _shown(name: str) -> str:
    return ascii(name[:80])


def _are_sizes(value: object, most: int) -> bool:
    """Asked of 100,000 tensors: by calls that loop in C."""
    if (
        not isinstance(value, list)
        or len(value) > most
        or not INTEGERS.issuperset(map(type, value))
    ):
        return False
    return not value or (min(value) >= 0 and max(value) <= MAX_INTEGER)


def _check_end_to_end(spans: list[tuple[int, int, str]], data_bytes: int) -> None:
    at = 0
    for begin, end, name in spans:
        if begin != at:
            raise Refused(f"tensor {name[:80]!a} to begin at {at}", f"it at {begin}")
        at = end
    if at != data_bytes:
        raise Refused(f"tensors that fill the {data_bytes} bytes of data", f"tensors of {at}")

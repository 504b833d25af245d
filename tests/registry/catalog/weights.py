# SPDX-License-Identifier: Apache-2.0
"""Safetensors files, honest and otherwise, written byte by byte."""

from __future__ import annotations

import json
from collections.abc import Mapping


def file(header: object, data: bytes = b"", *, length: int | None = None) -> bytes:
    """A file with this header; strings and bytes are taken as they are."""
    match header:
        case bytes():
            written = header
        case str():
            written = header.encode()
        case _:
            written = json.dumps(header).encode()
    size = len(written) if length is None else length
    return size.to_bytes(8, "little") + written + data


def tensor(
    begin: int, end: int, *, dtype: str = "U8", shape: tuple[int, ...] | None = None
) -> dict[str, object]:
    """One tensor's part of a header."""
    sizes = [end - begin] if shape is None else list(shape)
    return {"dtype": dtype, "shape": sizes, "data_offsets": [begin, end]}


def weights(values: Mapping[str, bytes] | None = None) -> bytes:
    """A good file of byte tensors."""
    parts = values or {"embedding.weight": b"\x00\x01\x02\x03", "head.bias": b"\x04\x05"}
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, value in parts.items():
        header[name] = tensor(len(data), len(data) + len(value))
        data += value
    return file(header, data)

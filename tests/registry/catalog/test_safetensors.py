# SPDX-License-Identifier: Apache-2.0
"""The gate for safetensors files: every byte belongs to one tensor, and nothing takes long."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest
import safetensors

from assay.signing.tensors import MAX_HEADER_BYTES
from registry.catalog.content.formats import Refused, gate
from registry.catalog.content.formats.safetensors import BITS
from tests.registry.catalog.weights import file, tensor, weights


def check(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "blob"
    path.write_bytes(content)
    gate.check("model.safetensors", path)


def library_accepts(tmp_path: Path) -> bool:
    try:
        with safetensors.safe_open(tmp_path / "blob", framework="numpy"):
            return True
    except safetensors.SafetensorError:
        return False


GOOD = {
    "two tensors": weights(),
    "no tensor": file({}),
    "an empty tensor": file({"a": tensor(0, 0), "b": tensor(0, 2)}, b"ab"),
    "a scalar": file({"a": tensor(0, 4, dtype="F32", shape=())}, b"abcd"),
    "padding in the header": file(
        b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   ', b"x"
    ),
    "tensors in another order": file({"b": tensor(2, 4), "a": tensor(0, 2)}, b"abcd"),
}

BAD = {
    "nothing": (b"", "header length"),
    "half a length": (b"\x01\x00\x00", "3 bytes in all"),
    "a header longer than the file": (file({}, length=1000), "within the file"),
    "a header of 26 MB": (file({}, length=26_000_000), "at most 25000000"),
    "a header of 2**63 bytes": (file({}, length=2**63), "at most 25000000"),
    "a truncated file": (weights()[:-1], "tensors that fill"),
    "trailing bytes": (weights() + b"\x00", "tensors that fill"),
    "duplicate keys": (
        file(
            b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
            b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
            b"x",
        ),
        "each key once",
    ),
    "duplicate keys inside": (
        file(b'{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', b"x"),
        "each key once",
    ),
    "an overlap": (file({"a": tensor(0, 3), "b": tensor(2, 4)}, b"abcd"), "to begin at 3"),
    "a gap": (file({"a": tensor(0, 1), "b": tensor(2, 4)}, b"abcd"), "to begin at 1"),
    "a hidden start": (file({"a": tensor(2, 4)}, b"abcd"), "to begin at 0"),
    "offsets beyond the end": (file({"a": tensor(0, 9)}, b"abcd"), "tensors that fill"),
    "offsets backwards": (file({"a": tensor(4, 0, shape=(4,))}, b"abcd"), "offsets from 4"),
    "negative offsets": (file({"a": tensor(-4, 0, shape=(4,))}, b"abcd"), "data_offsets"),
    "one offset": (
        file({"a": {"dtype": "U8", "shape": [1], "data_offsets": [1]}}, b"x"),
        "data_offsets",
    ),
    "a shape that overflows": (file({"a": tensor(0, 1, shape=(2**40, 2**40))}, b"x"), "offsets"),
    "a shape of other size": (file({"a": tensor(0, 4, shape=(3,))}, b"abcd"), "3 bytes"),
    "a negative shape": (file({"a": tensor(0, 1, shape=(-1, -1))}, b"x"), "whole numbers"),
    "a fractional shape": (
        file(b'{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', b"x"),
        "whole numbers",
    ),
    "a shape of truth": (
        file(b'{"a":{"dtype":"U8","shape":[true],"data_offsets":[0,1]}}', b"x"),
        "whole numbers",
    ),
    "an unknown dtype": (file({"a": tensor(0, 1, dtype="object")}, b"x"), "a dtype of"),
    "a dtype that is a list": (
        file({"a": {"dtype": [], "shape": [1], "data_offsets": [0, 1]}}, b"x"),
        "a dtype of",
    ),
    "a tensor without shape": (
        file({"a": {"dtype": "U8", "data_offsets": [0, 1]}}, b"x"),
        "other fields",
    ),
    "a tensor with more fields": (file({"a": tensor(0, 1) | {"code": "x"}}, b"x"), "other fields"),
    "a tensor that is a number": (file({"a": 1}, b""), "other fields"),
    "metadata that is no text": (file({"__metadata__": {"a": 1}}), "metadata of text"),
    "metadata that is a list": (file({"__metadata__": []}), "metadata of text"),
    "a list": (file(b"[]"), "starts with {"),
    "a space before the header": (file(b" {}"), "starts with {"),
    "no JSON": (file(b"{no}"), "expected JSON"),
    "two documents": (file(b"{}{}"), "expected JSON"),
    "a number that is none": (file(b'{"a":NaN}'), "NaN"),
    "another encoding": (file(b'{"\xff":{}}'), "UTF-8"),
    "levels without end": (file(b'{"a":' * 1000 + b"1" + b"}" * 1000), "levels"),
    "members without end": (file(b'{"a":[' + b"1," * 1_000_001 + b"1]}"), "members"),
    "a number without end": (
        file(b'{"a":{"dtype":"U8","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,1]}}'),
        "characters",
    ),
    "a zip behind the header": (
        weights({"a": b"PK\x05\x06" + bytes(18)}),
        "a zip archive",
    ),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_a_good_file_passes_here_and_in_the_library(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, content)
    assert library_accepts(tmp_path)


@pytest.mark.parametrize(("content", "found"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_and_the_reason_named(
    tmp_path: Path, content: bytes, found: str
) -> None:
    with pytest.raises(Refused) as refused:
        check(tmp_path, content)
    assert found in str(refused.value)


def test_whatever_the_library_refuses_is_refused_here(tmp_path: Path) -> None:
    """Each byte of a good file changed, cut or doubled: this gate is never the more lenient."""
    good = weights({"a": b"\x01\x02", "b": b"\x03\x04\x05"})
    mutants = [
        good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
        for at in range(len(good))
        for bit in range(0, 8, 3)
    ]
    mutants += [good[:at] for at in range(len(good))]
    mutants += [good[:at] + good[at : at + 1] + good[at:] for at in range(len(good))]
    lenient = []
    for mutant in mutants:
        try:
            check(tmp_path, mutant)
        except Refused:
            continue
        if not library_accepts(tmp_path):
            lenient.append(mutant)
    assert lenient == []


@pytest.mark.parametrize("dtype", BITS)
def test_every_dtype_of_the_list_is_one_of_the_librarys(tmp_path: Path, dtype: str) -> None:
    size_bytes = BITS[dtype] // 8
    check(tmp_path, file({"a": tensor(0, size_bytes, dtype=dtype, shape=(1,))}, bytes(size_bytes)))
    assert library_accepts(tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        b'{"a":' + b"[" * (MAX_HEADER_BYTES - 6),
        b"{" + b'"a":{},' * ((MAX_HEADER_BYTES - 2) // 7) + b"}",
        b'{"' + b"\\" * (MAX_HEADER_BYTES - 3) + b'"',
        b'{"a":"' + b"x" * (MAX_HEADER_BYTES - 8) + b'"}',
    ],
    ids=["brackets", "members", "escapes", "text"],
)
def test_a_header_bomb_costs_little(tmp_path: Path, header: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(Refused):
        check(tmp_path, file(header))
    assert time.process_time() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 * 1024

# SPDX-License-Identifier: Apache-2.0
"""GGUF files: what ggml's own writer makes is accepted; changed in one place, it is not."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from hypothesis import given
from hypothesis import strategies as st

from registry.catalog.content.formats import gguf
from registry.catalog.content.formats.refused import Refused

KEY = b"general.name"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "model.gguf")


def write(path: Path, *, alignment: int = 32) -> Path:
    writer = GGUFWriter(path, "llama")
    writer.add_custom_alignment(alignment)
    writer.add_name("tiny")
    writer.add_chat_template("{{ messages }}")
    writer.add_token_list(["<s>", "Ünïcode", "b"])
    writer.add_token_scores([0.0, 0.5, 1.0])
    writer.add_bool("tokenizer.ggml.add_bos_token", val=True)
    writer.add_array("some.flags", [True, False])
    writer.add_tensor("output.weight", np.arange(3, dtype=np.float32))
    writer.add_tensor("token_embd.weight", np.ones((4, 64), dtype=np.float16))
    quantised = np.zeros((2, 34), dtype=np.uint8)
    writer.add_tensor("blk.0.q", quantised, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert content.count(old) == 1
        return content.replace(old, new)

    return change


@pytest.mark.parametrize("alignment", [8, 32, 64, 4096])
def test_what_ggmls_writer_makes_is_accepted(tmp_path: Path, alignment: int) -> None:
    gguf.check(write(tmp_path / "model.gguf", alignment=alignment))


def test_the_last_padding_may_be_left_out(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: -(-68 % 32)])
    gguf.check(path)


def test_each_block_is_as_long_as_ggmls() -> None:
    theirs = {int(kind): size for kind, size in GGML_QUANT_SIZES.items()}
    assert theirs.items() >= gguf.BLOCKS.items()
    assert theirs.keys() - gguf.BLOCKS.keys() == {GGMLQuantizationType.Q8_1}  # never in a file


REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda _: b"", "4 bytes of magic at 0"),
    "another magic": (replaced(b"GGUF", b"GGML"), "begins with GGUF"),
    "an old version": (replaced(b"GGUF\x03", b"GGUF\x01"), "version 2 or 3"),
    "big-endian": (replaced(b"GGUF\x03\0\0\0", b"GGUF\0\0\0\x03"), "version 0x3000000"),
    "too many tensors": (lambda c: c[:8] + struct.pack("<Q", 100_001) + c[16:], "100000 tensors"),
    "too many keys": (lambda c: c[:16] + struct.pack("<Q", 1 << 40) + c[24:], "65536 keys"),
    "one tensor more": (lambda c: c[:8] + struct.pack("<Q", 4) + c[16:], "tensor"),
    "one tensor less": (lambda c: c[:8] + struct.pack("<Q", 2) + c[16:], "expected"),
    "a key of no length": (
        replaced(struct.pack("<Q", len(KEY)) + KEY, struct.pack("<Q", 0) + KEY),
        "a key of 1 to 65535 bytes",
    ),
    "an unknown type": (
        replaced(KEY + struct.pack("<I", 8), KEY + struct.pack("<I", 13)),
        "a known type, found type 13",
    ),
    "a list of lists": (
        replaced(
            b"some.flags" + struct.pack("<II", 9, 7), b"some.flags" + struct.pack("<II", 9, 9)
        ),
        "a known type, found type 9",
    ),
    "a truth of 2": (
        replaced(
            b"some.flags" + struct.pack("<IIQBB", 9, 7, 2, 1, 0),
            b"some.flags" + struct.pack("<IIQBB", 9, 7, 2, 2, 0),
        ),
        "0 or 1",
    ),
    "more texts than bytes": (
        replaced(
            b"tokenizer.ggml.tokens" + struct.pack("<IIQ", 9, 8, 3),
            b"tokenizer.ggml.tokens" + struct.pack("<IIQ", 9, 8, 1 << 50),
        ),
        "within a header",
    ),
    "a text beyond the end": (
        replaced(struct.pack("<Q", 4) + b"tiny", struct.pack("<Q", 1 << 60) + b"tiny"),
        "bytes of values of 'general.name'",
    ),
    "an alignment of 7": (
        replaced(
            b"general.alignment" + struct.pack("<II", 4, 32),
            b"general.alignment" + struct.pack("<II", 4, 7),
        ),
        "an alignment of 8",
    ),
    "an alignment that is a text": (
        replaced(
            b"general.alignment" + struct.pack("<I", 4),
            b"general.alignment" + struct.pack("<I", 8),
        ),
        "found 0 of type 8",
    ),
    "five dimensions": (
        replaced(b"output.weight" + struct.pack("<I", 1), b"output.weight" + struct.pack("<I", 5)),
        "at most 4 dimensions",
    ),
    "an unknown tensor type": (
        replaced(
            b"output.weight" + struct.pack("<IQI", 1, 3, 0),
            b"output.weight" + struct.pack("<IQI", 1, 3, 9),
        ),
        "type 9",
    ),
    "part of a block": (
        replaced(b"blk.0.q" + struct.pack("<IQ", 2, 32), b"blk.0.q" + struct.pack("<IQ", 2, 33)),
        "whole blocks of 32",
    ),
    "blocks of no dimension": (
        replaced(b"blk.0.q" + struct.pack("<IQQ", 2, 32, 2), b"blk.0.q" + struct.pack("<I", 0)),
        "whole blocks of 32 .*, found rows of 1",
    ),
    "more elements": (
        replaced(
            b"output.weight" + struct.pack("<IQ", 1, 3), b"output.weight" + struct.pack("<IQ", 1, 9)
        ),
        "to begin at 64, found it at 32",
    ),
    "an offset between": (
        replaced(
            b"output.weight" + struct.pack("<IQIQ", 1, 3, 0, 0),
            b"output.weight" + struct.pack("<IQIQ", 1, 3, 0, 4),
        ),
        "at a multiple of 32",
    ),
    "something in a gap": (
        replaced(
            struct.pack("<3f", 0, 1, 2) + bytes(20),
            struct.pack("<3f", 0, 1, 2) + b"hidden" + bytes(14),
        ),
        "zeros between tensors",
    ),
    "something behind": (lambda c: c + b"PK", "as its tensors take"),
    "something in the last gap": (lambda c: c[:-1] + b"x", "zeros between tensors"),
    "an end that is missing": (lambda c: c[:-40], "as its tensors take"),
}


@pytest.mark.parametrize(("change", "found"), REFUSED.values(), ids=REFUSED)
def test_what_was_changed_is_refused(
    path: Path, change: Callable[[bytes], bytes], found: str
) -> None:
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Refused, match=found):
        gguf.check(path)


def header(keys: list[bytes], tensors: list[bytes]) -> bytes:
    counts = struct.pack("<IQQ", 3, len(tensors), len(keys))
    return b"GGUF" + counts + b"".join(keys) + b"".join(tensors)


def test_a_key_is_there_once(tmp_path: Path) -> None:
    key = struct.pack("<Q", 1) + b"a" + struct.pack("<IB", 0, 1)
    (tmp_path / "twice").write_bytes(header([key, key], []))
    with pytest.raises(Refused, match="'a' twice"):
        gguf.check(tmp_path / "twice")


def test_a_tensor_is_there_once(tmp_path: Path) -> None:
    tensor = struct.pack("<Q", 1) + b"a" + struct.pack("<IQIQ", 1, 0, 0, 0)
    (tmp_path / "twice").write_bytes(header([], [tensor, tensor]))
    with pytest.raises(Refused, match="each tensor once, found 'a' twice"):
        gguf.check(tmp_path / "twice")


@given(content=st.binary(max_size=200))
def test_anything_else_is_refused_and_nothing_breaks(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    path.write_bytes(header([], [])[:8] + content)
    if content[:16] == bytes(16):
        return
    with pytest.raises(Refused, match="expected"):
        gguf.check(path)

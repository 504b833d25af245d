# SPDX-License-Identifier: Apache-2.0
"""Python's own unpickler is the judge: whatever makes it call something is a pickle."""

from __future__ import annotations

import io
import pickle
import pickletools
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.catalog.formats.pickles import is_pickle
from tests.thorough import examples

IMPORTED = [b"cos\nsystem\n", b"(ios\nsystem\n", b"\x8c\x02os\x8c\x06system\x93"]
PUSHED = [
    b"N",
    b"I0x10\n",
    b"I-010\n",
    b"K\x05",
    b"F1e5\n",
    b"S'a'\n",
    b"Va\n",
    b"X\x01\0\0\0a",
    b"]",
]
KNOWN = [
    *IMPORTED,
    *PUSHED,
    *(opcode.code.encode("latin-1") for opcode in pickletools.opcodes if opcode.arg is None),
    *(b"p0\n", b"g0\n", b"q\x01", b"h\x01", b"\x80\x04", b"L5L\n", b"\x82\x01"),
]


class Called(BaseException):
    """Something was called."""


class Trap:
    """Stands for whatever was imported; springs when it is called or built."""

    def __call__(self, *_: object) -> None:
        raise Called

    def __setstate__(self, _: object) -> None:
        raise Called


class Judge(pickle.Unpickler):
    """Python's unpickler, which finds a trap under every name."""

    def find_class(self, _module: str, _name: str) -> object:
        return Trap()


def calls_something(content: bytes) -> bool:
    try:
        with suppress(Exception):
            Judge(io.BytesIO(content)).load()
    except Called:
        return True
    return False


@given(st.lists(st.sampled_from(KNOWN) | st.binary(max_size=3), max_size=14).map(b"".join))
@example(b"(cos\nsystem\n(S'a'\ntR.")
@examples(500, many=5_000)
def test_whatever_makes_pythons_unpickler_call_something_is_a_pickle(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "content"
    path.write_bytes(content)
    assert is_pickle(path) or not calls_something(content)


@pytest.mark.parametrize("imported", IMPORTED)
def test_the_judge_can_say_yes(imported: bytes) -> None:
    assert calls_something(b"\x80\x04" + imported + b"(N" + b"tR.")

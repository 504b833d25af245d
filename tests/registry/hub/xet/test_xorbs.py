# SPDX-License-Identifier: Apache-2.0
"""Xorbs: read as they come, unpacked within limits, and what is none is said to be."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lz4 import frame

from registry.hub.xet import hashes
from registry.hub.xet.errors import InvalidXorb
from registry.hub.xet.xorbs import (
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_CONTENT_BYTES,
    MAX_XORB_BYTES,
    Reader,
    Scheme,
)
from tests.registry.hub.xet.made import chunk, framed, xorb

SOME = b"some bytes that go into a chunk " * 9


def unpacked(packed: bytes, *, pieces: int = 1 << 30, name: bytes | None = None) -> bytes:
    """What a reader makes of it, fed so many bytes at a time."""
    reader, content = Reader(), b""
    for at in range(0, len(packed), pieces):
        content += b"".join(reader.feed(packed[at : at + pieces]))
    reader.end(hashes.of_tree(reader.chunks) if name is None else name)
    return content


@pytest.mark.parametrize("scheme", list(Scheme))
@given(contents=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=9), at=st.data())
def test_any_chunks_come_back_however_they_come(
    scheme: Scheme, contents: list[bytes], at: st.DataObject
) -> None:
    packed = b"".join(chunk(content, scheme) for content in contents)
    pieces = at.draw(st.integers(min_value=1, max_value=len(packed)))
    name = xorb(*contents).hash
    assert unpacked(packed, pieces=pieces, name=name) == b"".join(contents)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_a_footer_is_passed_over_however_it_comes(pieces: int) -> None:
    packed = chunk(SOME) + b"XETBLOB" + bytes(500)
    assert unpacked(packed, pieces=pieces, name=xorb(SOME).hash) == SOME


@given(st.integers(min_value=1, max_value=len(chunk(SOME)) - 1))
def test_one_that_was_cut_is_refused(missing: int) -> None:
    with pytest.raises(InvalidXorb, match="expected the rest of chunk 1, found the end"):
        unpacked((chunk(SOME) * 2)[:-missing])


def test_one_under_another_name_is_refused() -> None:
    with pytest.raises(InvalidXorb, match=r"expected the xorb .*, found"):
        unpacked(chunk(SOME), name=xorb(b"others").hash)
    with pytest.raises(InvalidXorb, match="expected a chunk, found none"):
        unpacked(b"")


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (framed(b"x", 0, 1, version=1), "chunk 0: expected version 0, found 1"),
        (framed(b"x", 3, 1), "chunk 0: expected scheme 0, 1 or 2, found 3"),
        (framed(b"", 0, 0), f"chunk 0: expected 1 to {MAX_CHUNK_BYTES} bytes, found 0"),
        (chunk(bytes(MAX_CHUNK_BYTES + 1)), "bytes, found 131073"),
        (framed(bytes(2 * MAX_CHUNK_BYTES + 1), 1, 1), "expected it packed smaller"),
        (chunk(SOME, said=len(SOME) - 1), "chunk 0: expected 287 bytes in it, found others"),
        (chunk(SOME, 1, said=len(SOME) - 1), "chunk 0: expected 287 bytes in it, found others"),
        (chunk(SOME, 1, said=len(SOME) - 2), "expected one LZ4 frame of 286 bytes, found more"),
        (chunk(SOME, 1, said=len(SOME) + 1), "chunk 0: expected 289 bytes in it, found others"),
        (framed(b"no frame", 1, 8), "chunk 0: expected an LZ4 frame, found something else"),
        (framed(frame.compress(SOME) + b"x", 2, len(SOME)), "expected one LZ4 frame"),
        (framed(frame.compress(SOME)[:-9], 1, len(SOME)), "expected one LZ4 frame"),
    ],
)
def test_a_chunk_that_is_none_is_refused(packed: bytes, message: str) -> None:
    with pytest.raises(InvalidXorb) as refused:
        unpacked(packed)
    assert message in str(refused.value)


def test_a_bomb_unpacks_no_further_than_one_byte_too_many() -> None:
    """A gigabyte in four megabytes, in a chunk that says it is as long as one may be."""
    bomb = frame.compress(bytes(60_000_000))
    assert len(bomb) < 2 * MAX_CHUNK_BYTES
    with pytest.raises(InvalidXorb, match="expected one LZ4 frame of 131072 bytes, found more"):
        unpacked(framed(bomb, 1, MAX_CHUNK_BYTES))


def test_all_of_it_is_bounded_whatever_it_is_packed_to() -> None:
    zeros = chunk(bytes(MAX_CHUNK_BYTES), 1)
    most = MAX_CONTENT_BYTES // MAX_CHUNK_BYTES
    assert len(zeros) * (most + 1) < 1_000_000
    with pytest.raises(InvalidXorb, match=f"expected at most {MAX_CONTENT_BYTES} bytes in it"):
        unpacked(zeros * (most + 1))


def test_there_may_be_so_many_chunks_and_bytes() -> None:
    with pytest.raises(InvalidXorb, match=f"expected at most {MAX_CHUNKS} chunks, found more"):
        unpacked(chunk(b"x") * (MAX_CHUNKS + 1))
    with pytest.raises(InvalidXorb, match=f"expected at most {MAX_XORB_BYTES} bytes, found more"):
        unpacked(b"XETBLOB" + bytes(MAX_XORB_BYTES), pieces=1024 * 1024)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_worse(noise: bytes) -> None:
    with pytest.raises(InvalidXorb):
        unpacked(noise, name=xorb(b"x").hash)


def test_floating_point_numbers_come_back_from_their_groups() -> None:
    content = os.urandom(4 * 1000 + 3)
    for size in range(len(content) - 4, len(content) + 1):
        assert unpacked(chunk(content[:size], Scheme.GROUPED_LZ4)) == content[:size]

# SPDX-License-Identifier: Apache-2.0
"""Shards: which bytes make a file, read strictly and within limits."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.hub.xet import shards
from registry.hub.xet.errors import InvalidShard
from registry.hub.xet.shards import ShardFile
from registry.storage.upload import MAX_BLOB_BYTES
from tests.registry.hub.xet.made import RECORD, Term, file, of, shard, xorb

SENT = xorb(b"one", b"two", b"three")
TERM = SENT.term(0, 2)
GOOD = of(b"onetwo", TERM)


def read(content: bytes) -> tuple[ShardFile, ...]:
    return shards.read(io.BytesIO(content))


def test_files_are_ranges_of_xorbs_with_their_proofs() -> None:
    (found,) = read(shard(of(b"onetwothree", SENT.term(0, 2), SENT.term(2, 3))))
    assert found.sha256 == hashlib.sha256(b"onetwothree").hexdigest()
    assert found.size_bytes == len(b"onetwothree")
    terms = [(term.xorb, term.first, term.end, term.size_bytes) for term in found.terms()]
    assert terms == [(SENT.hash, 0, 2, 6), (SENT.hash, 2, 3, 5)]
    assert [term.proof for term in found.terms()] == [SENT.term(0, 2).proof, SENT.term(2, 3).proof]


def test_there_may_be_none_and_there_may_be_several() -> None:
    assert read(shard()) == ()
    assert [found.size_bytes for found in read(shard(GOOD, of(b"")))] == [6, 0]


def test_what_is_said_of_xorbs_is_passed_over_and_so_is_a_footer() -> None:
    listed = RECORD.pack(SENT.hash, 0, 2, 11, 99) + bytes(2 * RECORD.size)
    assert len(read(shard(GOOD, xorbs=listed, footer=bytes(200)))) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected 48 more bytes of the shard, found 0"),
        (bytes(200), "expected a shard of version 2, found something else"),
        (shard(version=3), "expected a shard of version 2, found something else"),
        (shard(GOOD)[:-1], "expected 48 more bytes of the shard, found 47"),
        (shard(GOOD) + b"x", "expected the end of the shard, found more"),
        (shard(file("0" * 64, [], flags=1 << 31)), "file 0: expected proofs and a SHA-256"),
        (shard(GOOD, file("0" * 64, [], flags=3 << 30 | 1)), "file 1: expected proofs"),
        (shard(RECORD.pack(b"f" * 32, 3 << 30, 1 << 30, 0, 0)), "expected at most 131072 ranges"),
        (shard(xorbs=RECORD.pack(b"x" * 32, 0, 1 << 31, 0, 0)), "more bytes of the shard, found"),
    ],
)
def test_what_is_no_shard_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidShard) as refused:
        read(content)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(TERM, flags=1),
        replace(TERM, size_bytes=0),
        replace(TERM, first=2),
        replace(TERM, first=2, end=1),
    ],
)
def test_a_range_that_is_none_is_refused(wrong: Term) -> None:
    with pytest.raises(InvalidShard, match="expected a range of chunks with bytes in it"):
        read(shard(of(b"onetwo", wrong)))


def test_a_file_longer_than_a_blob_is_refused() -> None:
    most = replace(SENT.term(0, 2), size_bytes=(1 << 32) - 1)
    assert read(shard(of(b"", *[most] * 11)))[0].size_bytes < MAX_BLOB_BYTES
    with pytest.raises(InvalidShard, match=f"expected at most {MAX_BLOB_BYTES} bytes, found more"):
        read(shard(of(b"", *[most] * 12)))


def test_counts_beyond_the_limits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_FILES", 2)
    assert len(read(shard(GOOD, GOOD))) == 2
    with pytest.raises(InvalidShard, match="expected at most 2 files, found more"):
        read(shard(GOOD, GOOD, GOOD))
    monkeypatch.setattr(shards, "MAX_TERMS", 1)
    with pytest.raises(InvalidShard, match="expected at most 1 ranges, found more"):
        read(shard(GOOD, GOOD))


@given(st.data())
def test_a_shard_cut_anywhere_is_refused(data: st.DataObject) -> None:
    content = shard(GOOD, GOOD)
    cut = data.draw(st.integers(min_value=0, max_value=len(content) - 1))
    with pytest.raises(InvalidShard):
        read(content[:cut])

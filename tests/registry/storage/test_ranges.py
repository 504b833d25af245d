# SPDX-License-Identifier: Apache-2.0
"""Range headers: one satisfiable range, everything instead of nonsense, or a refusal."""

from __future__ import annotations

import pytest

from registry.storage.errors import UnsatisfiableRange
from registry.storage.ranges import span_of


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1-99", 1, 100),
        ("bytes= 1-99 ", 1, 100),
        ("bytes=999-", 999, 1000),
        ("bytes=5-99999999999", 5, 1000),
        ("bytes=-7", 993, 1000),
        ("bytes=-99999999999", 0, 1000),
    ],
)
def test_one_range_is_honoured(asked: str, start: int, end: int) -> None:
    span = span_of(asked, size_bytes=1000)
    assert (span.start, span.end, span.is_partial) == (start, end, True)
    assert span.content_range == f"bytes {start}-{end - 1}/1000"
    assert span.length_bytes == end - start


@pytest.mark.parametrize(
    ("asked", "is_counted"),
    [
        (None, True),
        ("bytes=0-", True),
        ("bytes=0-1048575", True),
        ("bytes=0-1048574", False),
        ("bytes=0-0", False),
        ("bytes=1-", False),
        ("bytes=-1", False),
    ],
)
def test_a_look_at_how_a_file_begins_is_no_download(asked: str | None, *, is_counted: bool) -> None:
    assert span_of(asked, size_bytes=2 << 20).is_a_download is is_counted


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        "bytes=0-1,3-4",
        "bytes=5-4",
        "bytes=-",
        "bytes=a-b",
        "lines=0-1",
        "0-1",
        "bytes=1",
        "bytes=0-" + "9" * 5_000,
        "bytes=\u0661-\u0662",
    ],
)
def test_several_ranges_or_nonsense_are_answered_with_everything(asked: str | None) -> None:
    span = span_of(asked, size_bytes=1000)
    assert (span.start, span.end, span.is_partial) == (0, 1000, False)


@pytest.mark.parametrize(
    ("asked", "size"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-", 0), ("bytes=-1", 0)]
)
def test_a_range_outside_the_file_is_refused(asked: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRange, match=f"within {size} bytes") as refusal:
        span_of(asked, size_bytes=size)
    assert refusal.value.headers == {"Content-Range": f"bytes */{size}"}

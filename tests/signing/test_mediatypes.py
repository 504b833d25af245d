# SPDX-License-Identifier: Apache-2.0
"""How a file begins says which kind it is, and is believed alone where nothing else begins so."""

from __future__ import annotations

import pytest

from assay.signing.mediatypes import HEAD_BYTES, Kind, begun_by, surely
from tests import media

TAG = b"ID3\x04\x00\x00\x00\x00\x0f\x76  "
FRAME = b"\xff\xfb\x90\x00" + b"\0" * 8


@pytest.mark.parametrize(("kind", "content"), media.everything().items())
def test_each_kind_is_told_by_its_beginning(kind: str, content: bytes) -> None:
    assert begun_by(content[:HEAD_BYTES]) == surely(content[:HEAD_BYTES]) == Kind(kind)


@pytest.mark.parametrize("head", [TAG, FRAME, b"\xff\xf3\x48\xc4", b"\xff\xe2\x1b\0"])
def test_a_sound_begins_with_a_tag_or_a_frame(head: bytes) -> None:
    assert surely(head) is Kind.MP3


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"ID3 tags are", Kind.MP3),
        (b"\xff\xfb\x00\x00", Kind.MP3),  # of no bit rate
        (b"\xff\xfb\xf0\x00", Kind.MP3),
        (b"\xff\xfb\x9c\x00", Kind.MP3),  # of no sampling rate
        (b"\xff\xea\x90\x00", Kind.MP3),  # of no version
        (b"\xff\xfb", Kind.MP3),  # cut off
        (b"GIF8 is no pi", Kind.GIF),
        (b"%PDF-files beg", Kind.PDF),
        (b"The ftyp box c", Kind.MP4),
        (b"\0\0\0\x18ftypheic", Kind.MP4),
        (b"\0\0\0\x14ftypqt  ", Kind.MP4),
        (b"\0\0\0\x20ftypM4A ", Kind.MP4),
    ],
)
def test_what_may_be_one_is_not_surely_one(head: bytes, kind: Kind) -> None:
    assert begun_by(head) is kind
    assert surely(head) is None


@pytest.mark.parametrize(
    "head", [b"", b"\xff", b"RIFF\0\0\0\0AVI ", b"\xfe\xff\0w", b"\xff\xfew\0", b"\xff\xf1\x50\x80"]
)
def test_of_anything_else_nothing_is_said(head: bytes) -> None:
    assert begun_by(head) is None
    assert surely(head) is None

# SPDX-License-Identifier: Apache-2.0
"""`assay sign FILE --checkpoint …` tells the kind of a file; what is no text is called none."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing.commands import contents
from assay.signing.commands.errors import InputUnreadable
from assay.signing.commands.guessing import media_type
from tests import media

KINDS = media.everything()
PNG, BYTES, PLAIN = KINDS["image/png"], "application/octet-stream", "text/plain"


def told(folder: Path, content: bytes, name: str = "unnamed") -> str:
    path = folder / name
    path.write_bytes(content)
    return media_type(path, contents.read(path))


@pytest.mark.parametrize(("kind", "content"), KINDS.items())
def test_a_file_of_no_name_is_told_by_how_it_begins(
    tmp_path: Path, kind: str, content: bytes
) -> None:
    assert told(tmp_path, content) == kind
    assert told(tmp_path, content, "version.2") == kind


@pytest.mark.parametrize(
    "text", [b"", b"words", b"GIF89a is a format", b"ID3\x04 tags", b"RIFF,   WAVE", b"%PDF-files"]
)
def test_prose_about_files_is_a_text(tmp_path: Path, text: bytes) -> None:
    assert told(tmp_path, text) == PLAIN


def test_a_document_may_be_all_letters(tmp_path: Path) -> None:
    assert told(tmp_path, b"%PDF-1.7\n1 0 obj\n") == "application/pdf"
    assert told(tmp_path, b"%PDF-1.7\n1 0 obj\n", "a.txt") == PLAIN


@pytest.mark.parametrize("content", [b"\xff", b"\0\0\0\0", b"words" + b" " * 100 + b"\0"])
def test_what_is_no_text_is_called_none(tmp_path: Path, content: bytes) -> None:
    assert told(tmp_path, content) == BYTES


def test_what_is_packed_is_not_what_it_was_before(tmp_path: Path) -> None:
    assert told(tmp_path, b"\x1f\x8b\x08", "lines.csv.gz") == BYTES
    assert told(tmp_path, b"1,2", "lines.csv") == "text/csv"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("picture.png", b"\x89PNG", "image/png"),  # cut off: it is not for us to say so
        ("film.mov", b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        ("film.mp4", b"\0\0\0\x14ftypqt  ", "video/mp4"),
        ("drawing.ps", b"%PDF-1.4", "application/postscript"),
        ("latin.txt", b"na\xefve", PLAIN),
        ("sound.wav", KINDS["audio/wav"], "audio/wav"),  # Python: audio/x-wav
    ],
)
def test_its_name_is_believed_before_its_bytes(
    tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    assert told(tmp_path, content, name) == kind


@pytest.mark.parametrize(
    ("name", "called"), [("a.jpg", "image/jpeg"), ("a.pdf", "application/pdf"), ("a.txt", PLAIN)]
)
def test_a_name_that_is_surely_another_kinds_is_refused(
    tmp_path: Path, name: str, called: str
) -> None:
    said = rf"is what it is called \({called}\), found one that begins as image/png does"
    with pytest.raises(InputUnreadable, match=said):
        told(tmp_path, PNG, name)

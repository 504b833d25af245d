# SPDX-License-Identifier: Apache-2.0
"""An archive has one form: any program of ZIP opens it, and no byte of it can be another."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import archive
from assay.signing.errors import InvalidDocument

FILES = {"pack.json": b"{}", "lists/ab.crl": b"\x30\x00", "texts/cd.txt": "é\n".encode()}


def zipped(*files: tuple[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    """As another program would write them."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", how) as file:
        for name, data in files:
            file.writestr(name, data)
    return found.getvalue()


def test_what_was_written_is_read_again() -> None:
    assert archive.read(archive.write(FILES)) == FILES


def test_other_programs_open_it() -> None:
    with zipfile.ZipFile(io.BytesIO(archive.write(FILES))) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == FILES
        assert file.namelist() == sorted(FILES)


def test_of_the_same_files_there_is_one_archive() -> None:
    assert archive.write(dict(reversed(FILES.items()))) == archive.write(FILES)


NAMES = st.from_regex(archive.NAME, fullmatch=True).filter(lambda name: len(name) <= 90)


@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=6))
def test_any_files_come_back(files: dict[str, bytes]) -> None:
    assert archive.read(archive.write(files)) == files


@given(place=st.integers(0, len(archive.write(FILES)) - 1), value=st.integers(1, 255))
def test_no_byte_can_change_unseen(place: int, value: int) -> None:
    """A changed byte of a file's content changes its checksum too, or the archive is refused."""
    data = bytearray(archive.write(FILES))
    data[place] ^= value
    with pytest.raises(InvalidDocument):
        archive.read(bytes(data))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for each in (data, b"PK\x03\x04" + data):
        with pytest.raises(InvalidDocument):
            archive.read(each)


@given(st.integers(0, len(archive.write(FILES)) - 1))
def test_a_cut_archive_is_refused(end: int) -> None:
    with pytest.raises(InvalidDocument):
        archive.read(archive.write(FILES)[:end])


@pytest.mark.parametrize(
    "name",
    ["../up", "/root", "a/../b", "a//b", "a/b/c", "C:", "a\\b", "A", "", ".", "a/", "é", "a\0"],
)
def test_a_name_is_plain_and_leads_nowhere(name: str) -> None:
    with pytest.raises(InvalidDocument, match="a name of"):
        archive.write({name: b""})


def test_a_name_that_leads_elsewhere_is_refused_in_what_others_wrote() -> None:
    with pytest.raises(InvalidDocument, match=r"a name of .* found '\.\./up'"):
        archive.read(zipped(("../up", b"")))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (lambda: archive.write(FILES) + b"\0", "the one form"),
        (lambda: b"\0" + archive.write(FILES), "1 to 1024 files, found 0"),
        (lambda: zipped(("a", bytes(100_000)), how=zipfile.ZIP_DEFLATED), "stored as they are"),
        (lambda: zipped(("a", b"1")), "the one form"),
        (lambda: archive.write({"a": b"1"}).replace(b"a1PK", b"a2PK"), "the one form"),
        (lambda: archive.write(FILES)[:20], "cut off"),
        (lambda: archive.write(FILES)[:40], "cut off"),
    ],
)
def test_what_is_another_zip_is_none_of_ours(data: Callable[[], bytes], says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        archive.read(data())


def test_a_name_that_is_there_twice_is_refused() -> None:
    one = archive.write({"a": b"1"})
    local = one[: one.index(b"PK\x01\x02")]
    with pytest.raises(InvalidDocument, match="found a twice"):
        archive.read(local + one)


def test_there_are_no_more_files_and_bytes_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive.write(FILES)
    monkeypatch.setattr(archive, "MAX_FILES", 1)
    with pytest.raises(InvalidDocument, match="1 to 1 files"):
        archive.write(FILES)
    with pytest.raises(InvalidDocument, match="1 to 1 files"):
        archive.read(data)
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", len(data) - 1)
    with pytest.raises(InvalidDocument, match="bytes, found more"):
        archive.read(data)
    with pytest.raises(InvalidDocument, match=f"found {len(data)}"):
        archive.write(FILES)


def test_what_may_be_one_begins_so() -> None:
    assert archive.is_archive(archive.write(FILES)[:4])
    assert not archive.is_archive(b"{")

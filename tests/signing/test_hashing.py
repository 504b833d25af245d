# SPDX-License-Identifier: Apache-2.0
"""Hashing files: on every core, in one pass, in little memory, and never a file that changes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assay.signing import hashing
from assay.signing.errors import InvalidDocument
from assay.signing.hashing import Piece
from assay.signing.manifest import MAX_FILES, Manifest

MOST_BYTES = 64 << 20  # issue: "never more than 64 MiB of memory above the interpreter's own"
# Prints by how many KiB the peak of its memory grew. VmHWM (proc(5)) is of this program alone;
# ru_maxrss would begin with the peak of whoever started it.
MEASURED = """
import sys
from pathlib import Path

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

before = peak()
from assay.signing.manifest import Manifest
Manifest.of_folder(Path(sys.argv[1]))
print(peak() - before)
"""


def pieces(folder: Path, contents: Sequence[bytes]) -> list[Piece]:
    for number, content in enumerate(contents):
        (folder / f"{number}").write_bytes(content)
    return [Piece.whole(folder / f"{number}", f"{number}") for number in range(len(contents))]


def test_many_files_are_hashed_in_the_order_given(tmp_path: Path) -> None:
    contents = [os.urandom(size) for size in (0, 1, 300_000, 9_000_000, *range(500))]
    found = list(hashing.digests(pieces(tmp_path, contents)))
    assert [piece.name for piece, _ in found] == [str(n) for n in range(len(contents))]
    assert [digest for _, (digest,) in found] == [
        hashlib.sha256(content).hexdigest() for content in contents
    ]


def test_every_digest_that_is_needed_comes_of_one_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(1_000_000)
    given = pieces(tmp_path, [content])
    read_bytes: list[int] = []
    preadv = os.preadv

    def counted(*arguments: object) -> int:
        read_bytes.append(preadv(*arguments))  # type: ignore[arg-type]  # passed on as they came
        return read_bytes[-1]

    monkeypatch.setattr(os, "preadv", counted)
    algorithms = ("sha256", "sha1", "blake2b")
    ((_, found),) = hashing.digests(given, algorithms)
    assert found == tuple(hashlib.new(name, content).hexdigest() for name in algorithms)
    assert sum(read_bytes) == len(content)


def test_a_range_of_a_file_is_hashed_alone(tmp_path: Path) -> None:
    (whole,) = pieces(tmp_path, [b"0123456789"])
    ((_, (digest,)),) = hashing.digests([replace(whole, start=3, end=7)])
    assert digest == hashlib.sha256(b"3456").hexdigest()


@pytest.mark.parametrize("by_bytes", [-1, 1])
def test_a_file_that_has_grown_or_shrunk_is_refused(tmp_path: Path, by_bytes: int) -> None:
    (piece,) = pieces(tmp_path, [bytes(1000)])
    os.truncate(piece.path, 1000 + by_bytes)
    with pytest.raises(InvalidDocument, match=r"stays as it is .* whose size changed"):
        list(hashing.digests([piece]))


def test_a_file_that_is_written_to_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (piece,) = pieces(tmp_path, [bytes(1000)])
    os.utime(piece.path, ns=(0, 0))
    preadv = os.preadv

    def meanwhile(*arguments: object) -> int:
        os.utime(piece.path, ns=(1, 1))
        return preadv(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(os, "preadv", meanwhile)
    with pytest.raises(InvalidDocument, match=r"stays as it is .* written to"):
        list(hashing.digests([piece]))


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (piece,) = pieces(tmp_path, [b"x"])
    piece.path.rename(tmp_path / "elsewhere")
    piece.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="Too many levels"):
        list(hashing.digests([piece]))
    ((_, (digest,)),) = hashing.digests([replace(piece, follows_links=True)])
    assert digest == hashlib.sha256(b"x").hexdigest()


def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    (piece,) = pieces(tmp_path, [b"x"])
    piece.path.unlink()
    os.mkfifo(piece.path)
    with pytest.raises(InvalidDocument, match="expected a regular file"):
        list(hashing.digests([piece]))


def test_after_an_error_the_rest_is_not_hashed(tmp_path: Path) -> None:
    given = pieces(tmp_path, [b"x"] * 2000)
    given[0].path.unlink()
    with pytest.raises(FileNotFoundError):
        list(hashing.digests(given))


def test_there_is_a_thread_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hashing.threads() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 1000)
    assert hashing.threads() == hashing.MOST_THREADS


def test_a_folder_of_too_many_files_is_refused_before_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces(tmp_path, [b""] * 3)
    monkeypatch.setattr("assay.signing.manifest.MAX_FILES", 2)
    with pytest.raises(InvalidDocument, match="files: expected 1 to 2 entries, found more"):
        Manifest.of_folder(tmp_path)
    assert MAX_FILES > 2


def test_hashing_takes_less_than_64_mebibytes(tmp_path: Path) -> None:
    pieces(tmp_path, [b"x"] * 1000)
    for number in range(4):
        with (tmp_path / f"large{number}").open("wb") as file:
            file.truncate(256 << 20)  # holes: nothing is on the disk, and all of it is read
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) << 10 < MOST_BYTES


def test_every_core_has_a_buffer_within_that_memory() -> None:
    assert hashing.MOST_THREADS * hashing.BUFFER_BYTES <= MOST_BYTES // 4

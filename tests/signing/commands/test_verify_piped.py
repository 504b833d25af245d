# SPDX-License-Identifier: Apache-2.0
"""What comes through a pipe is verified as a file is: read once, and never gone back in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from assay.signing.commands import contents
from assay.signing.digests import sha256
from assay.signing.media import Search
from tests.signing.commands.desk import Desk, words_of
from tests.signing.studio import CONTENT, Studio
from tests.signing.world import TEXT

MARK = b"jumdc2pa"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is more than is kept."""
    monkeypatch.setattr(contents, "MAX_TEXT_BYTES", 4)


def piped(desk: Desk, content: bytes, evidence: Path, *words: object) -> tuple[int, str, str]:
    """Verify what another thread writes into a pipe."""
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    try:
        return desk.assay("verify", pipe, "--evidence", evidence, *words)
    finally:
        writer.join(timeout=10)
        pipe.unlink()


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/fd/0"])
def test_what_another_program_writes_is_verified(desk: Desk, name: str) -> None:
    desk.pin()
    evidence = desk.write("out.json", desk.world.evidence_for_output())
    command = [sys.executable, "-m", "assay.signing.commands", "verify", name]
    for content, ends in ((TEXT.encode(), 0), (b"another", 21)):
        done = subprocess.run(
            [*command, "--evidence", str(evidence)], input=content, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (ends, b"")


def test_of_what_is_larger_than_a_text_the_bytes_are_compared(desk: Desk, small: None) -> None:
    desk.pin()
    evidence = desk.write("out.json", desk.world.evidence_for_output())
    code, out, err = piped(desk, TEXT.encode(), evidence)
    assert (code, err, "to the byte" in out) == (0, "", True)
    assert piped(desk, TEXT.encode() + b"\n", evidence)[0] == 21


def test_more_than_is_kept_comes_through_it(tmp_path: Path) -> None:
    chunk, times = b"0123456789abcdef" * (1 << 16), 65
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(chunk * times,), daemon=True)
    writer.start()
    found = contents.read(pipe)
    writer.join(timeout=10)
    assert found.content.sha256 == sha256(chunk * times)
    assert (found.content.normalised_sha256, found.carrier) == (None, None)


def test_a_picture_is_read_with_its_manifest(bench: Desk, studio: Studio) -> None:
    signed = studio.painted()
    evidence = bench.write("signed.json", studio.evidence_of(signed))
    code, out, err = piped(bench, signed, evidence)
    assert (code, err) == (0, "")
    assert "caller-asserted, from checkpoint sha256:" in words_of(out)
    broken = signed + b"\x00"
    evidence = bench.write("broken.json", studio.evidence_of(broken))
    code, out, _ = piped(bench, broken, evidence)
    assert (code, "assertion.dataHash.mismatch" in words_of(out)) == (50, True)


def test_a_manifest_beside_it_is_read_too(bench: Desk, studio: Studio) -> None:
    (bench.folder / "pipe.c2pa").write_bytes(studio.beside())
    evidence = bench.write("plain.json", studio.evidence_of(CONTENT))
    code, out, _ = piped(bench, CONTENT, evidence)
    assert (code, "caller-asserted, from checkpoint sha256:" in words_of(out)) == (0, True)


def test_a_large_one_with_a_manifest_has_to_be_a_file(
    bench: Desk, studio: Studio, small: None
) -> None:
    signed = studio.painted()
    evidence = bench.write("signed.json", studio.evidence_of(signed))
    code, _, err = piped(bench, signed, evidence)
    assert (code, "found a pipe: write it into a file first, and name that" in err) == (30, True)
    path = bench.folder / "picture.png"
    path.write_bytes(signed)
    assert bench.assay("verify", path, "--evidence", evidence)[0] == 0


@pytest.mark.parametrize("size_bytes", [1, 3, 7, 8, 9, 100])
def test_a_mark_is_found_wherever_it_is_cut(size_bytes: int) -> None:
    for before in range(12):
        content = b"j" * before + MARK + b"a" * 12
        for data, has_mark in ((content, True), (content.replace(b"dc2", b"dc3"), False)):
            search = Search()
            chunks = [data[at : at + size_bytes] for at in range(0, len(data), size_bytes)]
            assert [search.seen(each) for each in chunks] == chunks
            assert search.has_found is has_mark

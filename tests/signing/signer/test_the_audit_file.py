# SPDX-License-Identifier: Apache-2.0
"""The audit file is a chain: it notices cuts and edits, heals a torn end, and fails closed."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.signing.digests import sha256
from assay.signing.signer.audit import BEFORE_THE_FIRST, EMPTY, Audit, AuditMark
from assay.signing.signer.errors import AuditUnavailable, SignerFilesBroken

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An audit file as the ceremony leaves it."""
    Audit.create(tmp_path / "audit.jsonl")
    return tmp_path / "audit.jsonl"


def _open(path: Path, *, anchor: AuditMark = EMPTY) -> Audit:
    return Audit.open(path, anchor=anchor, at=NOW)


def _three_lines(path: Path) -> list[bytes]:
    audit = _open(path)
    for size in range(3):
        audit.append(at=NOW, op="sign_head", details={"size": size})
    audit.close()
    return path.read_bytes().splitlines(keepends=True)


def test_each_line_names_the_digest_of_the_line_before(path: Path) -> None:
    lines = _three_lines(path)
    entries = [json.loads(line) for line in lines]
    assert [entry["n"] for entry in entries] == [1, 2, 3]
    assert entries[0]["previous"] == BEFORE_THE_FIRST
    assert entries[1]["previous"] == sha256(lines[0].rstrip(b"\n"))
    assert entries[2] == {
        "at": "2026-11-20T12:00:00Z",
        "n": 3,
        "op": "sign_head",
        "previous": sha256(lines[1].rstrip(b"\n")),
        "size": 2,
    }


def test_only_its_owner_may_read_it(path: Path) -> None:
    _three_lines(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_chain_goes_on_after_a_restart(path: Path) -> None:
    _three_lines(path)
    audit = _open(path)
    assert audit.mark.lines == 3
    assert audit.append(at=NOW, op="sign", details={}).lines == 4
    audit.close()
    again = _open(path)
    assert again.mark.lines == 4
    again.close()


def test_a_line_that_a_crash_left_unfinished_is_cut_off_and_the_chain_says_so(
    path: Path,
) -> None:
    whole = b"".join(_three_lines(path))
    path.write_bytes(whole + b'{"at":"2026-1')
    _open(path).close()
    healed = path.read_bytes()
    assert healed.startswith(whole)
    entry = json.loads(healed[len(whole) :])
    assert (entry["op"], entry["dropped_bytes"], entry["n"]) == ("healed", 13, 4)
    audit = _open(path)
    assert audit.mark.lines == 4
    audit.close()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param(lambda lines: [lines[0], lines[2]], "line 2", id="a line taken out"),
        pytest.param(lambda lines: lines[1:], "line 1", id="the first line taken out"),
        pytest.param(
            lambda lines: [lines[0].replace(b'"size":0', b'"size":9'), *lines[1:]],
            "line 2",
            id="a line edited",
        ),
        pytest.param(lambda lines: [*lines, b"\0\0\0\n"], "line 4", id="not JSON"),
        pytest.param(lambda lines: [*lines, b"[]\n"], "line 4", id="not an object"),
    ],
)
def test_a_broken_chain_is_refused(path: Path, edit: object, said: str) -> None:
    assert callable(edit)
    path.write_bytes(b"".join(edit(_three_lines(path))))
    with pytest.raises(SignerFilesBroken, match=said) as caught:
        _open(path)
    assert caught.value.reason == caught.value.code == "signer-files-broken"


def test_a_chain_cut_behind_the_anchor_is_refused(path: Path) -> None:
    lines = _three_lines(path)
    anchor = AuditMark(lines=3, sha256=sha256(lines[2].rstrip(b"\n")))
    _open(path, anchor=anchor).close()
    path.write_bytes(b"".join(lines[:2]))
    with pytest.raises(SignerFilesBroken, match="lines are missing"):
        _open(path, anchor=anchor)
    path.write_bytes(b"".join(lines[:2]) + b"torn")
    with pytest.raises(SignerFilesBroken, match="lines are missing"):
        _open(path, anchor=anchor)


def test_a_chain_rewritten_behind_the_anchor_is_refused(path: Path) -> None:
    _three_lines(path)
    with pytest.raises(SignerFilesBroken, match="line 2 of the audit file is not the one"):
        _open(path, anchor=AuditMark(lines=2, sha256="ab" * 32))


def test_a_file_that_is_gone_is_not_taken_for_an_empty_chain(path: Path) -> None:
    path.unlink()
    with pytest.raises(AuditUnavailable, match="cannot be opened: No such file"):
        _open(path)


class _FailingOnce:
    """An fsync that fails on its first call, as a disk with one bad moment does."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, descriptor: int) -> None:
        self.calls += 1
        if self.calls == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fsync(descriptor)


def _with_failing_sync(path: Path) -> Audit:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    return Audit(os.open(path, flags, 0o600), mark=EMPTY, size_bytes=0, sync=_FailingOnce())


def test_a_line_that_was_not_synced_is_never_chained_upon(path: Path) -> None:
    audit = _with_failing_sync(path)
    with pytest.raises(AuditUnavailable, match=r"nothing was signed: .* Input/output error"):
        audit.append(at=NOW, op="sign", details={"statement_sha256": "lost"})
    assert audit.mark == EMPTY
    audit.append(at=NOW, op="sign", details={"statement_sha256": "kept"})
    audit.close()
    assert [json.loads(line)["statement_sha256"] for line in path.read_bytes().splitlines()] == [
        "kept"
    ]
    _open(path).close()


def test_a_full_disk_refuses_signatures_until_there_is_room_again(path: Path) -> None:
    audit = Audit(os.open("/dev/full", os.O_RDWR | os.O_APPEND), mark=EMPTY, size_bytes=0)
    for _ in range(2):
        with pytest.raises(AuditUnavailable, match="nothing was signed"):
            audit.append(at=NOW, op="sign", details={})
    audit.close()


def test_a_line_that_does_not_fit_is_refused() -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    audit = Audit(writing, mark=EMPTY, size_bytes=0)
    with pytest.raises(AuditUnavailable, match="bytes fitted"):
        audit.append(at=NOW, op="sign", details={"statement_sha256": "x" * (1 << 20)})
    audit.close()
    os.close(reading)


def test_many_lines_are_one_chain_and_one_sync(path: Path) -> None:
    synced: list[bytes] = []

    def sync(descriptor: int) -> None:
        os.fsync(descriptor)
        synced.append(path.read_bytes())

    audit = Audit(os.open(path, os.O_RDWR | os.O_APPEND), mark=EMPTY, size_bytes=0, sync=sync)
    mark = audit.append_all(at=NOW, op="sign", each=[{"size": size} for size in range(3)])
    assert mark == audit.mark == audit.append_all(at=NOW, op="sign", each=[])
    audit.close()
    (written,) = synced
    assert [json.loads(line)["size"] for line in written.splitlines()] == [0, 1, 2]
    again = _open(path)
    assert again.mark == mark
    again.close()


def test_of_many_lines_that_were_not_synced_none_is_chained_upon(path: Path) -> None:
    audit = _with_failing_sync(path)
    with pytest.raises(AuditUnavailable):
        audit.append_all(at=NOW, op="sign", each=[{"size": 1}, {"size": 2}])
    assert audit.mark == EMPTY
    audit.append_all(at=NOW, op="sign", each=[{"size": 3}, {"size": 4}])
    audit.close()
    assert [json.loads(line)["size"] for line in path.read_bytes().splitlines()] == [3, 4]
    _open(path).close()

# SPDX-License-Identifier: Apache-2.0
"""The high-water mark survives a restart, is never taken for granted, and is replaced whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing.merkle import EMPTY_ROOT
from assay.signing.signer.audit import EMPTY, AuditMark
from assay.signing.signer.errors import SignerFilesBroken, StorageUnavailable
from assay.signing.signer.highwater import Head, HighWater

MARK = AuditMark(lines=7, sha256="ab" * 32)


def test_a_new_mark_is_that_of_an_empty_ledger(tmp_path: Path) -> None:
    HighWater.create(tmp_path / "head.json")
    loaded = HighWater.load(tmp_path / "head.json")
    assert loaded.head == Head(size=0, root=EMPTY_ROOT)
    assert loaded.audit == EMPTY
    assert (tmp_path / "head.json").stat().st_mode & 0o777 == 0o600


def test_an_advanced_mark_is_read_back(tmp_path: Path) -> None:
    mark = HighWater.create(tmp_path / "head.json")
    head = Head(size=9, root=b"\x01" * 32)
    mark.advance(head, audit=MARK)
    loaded = HighWater.load(tmp_path / "head.json")
    assert (loaded.head, loaded.audit) == (mark.head, mark.audit) == (head, MARK)
    assert [path.name for path in tmp_path.iterdir()] == ["head.json"]


def test_a_missing_mark_is_not_taken_for_an_empty_ledger(tmp_path: Path) -> None:
    with pytest.raises(SignerFilesBroken, match=r"head.json cannot be read: No such file"):
        HighWater.load(tmp_path / "head.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"type":"other"}', b'{"type":'])
def test_a_malformed_mark_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.json").write_bytes(content)
    with pytest.raises(SignerFilesBroken, match=r"head.json is malformed"):
        HighWater.load(tmp_path / "head.json")


def test_a_mark_that_cannot_be_written_stays_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    mark = HighWater.create(folder / "head.json")
    (folder / "head.json").unlink()
    folder.rmdir()
    with pytest.raises(StorageUnavailable, match="nothing was signed"):
        mark.advance(Head(size=1, root=b"\x01" * 32), audit=MARK)
    assert mark.head.size == 0


def test_what_a_failed_replacement_left_is_removed(tmp_path: Path) -> None:
    mark = HighWater.create(tmp_path / "head.json")
    (tmp_path / "head.json").unlink()
    (tmp_path / "head.json").mkdir()
    with pytest.raises(StorageUnavailable):
        mark.advance(Head(size=1, root=b"\x01" * 32), audit=MARK)
    assert [path.name for path in tmp_path.iterdir()] == ["head.json"]

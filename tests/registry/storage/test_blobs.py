# SPDX-License-Identifier: Apache-2.0
"""Blobs on the disk: the recipe that makes one, safe paths, holders, the sweep of dead parts."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from registry.storage import services, tasks
from registry.storage.errors import BlobLost, DigestMismatch, InvalidDigest, TruncatedUpload
from registry.storage.files import Part, parts_folder, path_of
from registry.storage.folder import make_folder
from registry.storage.models import Blob

HELLO = b"hello"
QUERIES = 10  # locks, the use of the holder before and after, their waiting parts, two inserts
SHA256 = hashlib.sha256(HELLO).hexdigest()


@pytest.mark.parametrize("kind", ["bytes", "path", "file"])
def test_our_own_bytes_are_stored_for_a_holder(kind: str, db: None, data_folder: Path) -> None:
    source = data_folder / "source"
    source.write_bytes(HELLO)
    kinds: dict[str, bytes | Path | io.BytesIO] = {"bytes": HELLO, "path": source}
    given = kinds.get(kind, io.BytesIO(HELLO))
    blob = services.store(given, holder="system")
    assert (blob.pk, blob.size_bytes, services.size_of(SHA256)) == (SHA256, 5, 5)
    assert services.holds("system", SHA256)
    assert not services.holds("user:alice", SHA256)
    with services.open_blob(SHA256) as file:
        assert file.read() == HELLO


def test_storing_twice_keeps_one_blob(db: None, data_folder: Path) -> None:
    services.store(HELLO, holder="user:alice")
    services.store(HELLO, holder="user:bob")
    assert Blob.objects.count() == 1
    assert [p.name for p in data_folder.rglob("*") if p.is_file()] == [SHA256]


@pytest.mark.parametrize("count", [1, 300])
def test_many_blobs_are_recorded_as_quickly_as_one(
    db: None, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    sizes = {f"{number:064x}": number + 1 for number in range(count)}
    path_of("0" * 64).parent.mkdir(parents=True)
    for sha256 in sizes:
        path_of(sha256).touch()
    services.record(sizes, holder="user:alice")
    with django_assert_num_queries(QUERIES):
        services.record(sizes, holder="user:bob")
    assert services.sizes(sizes) == sizes
    assert services.held({"user:bob", "user:charlie"}, sizes) == set(sizes)
    assert services.held({"user:charlie"}, sizes) == set()


def test_a_blob_that_is_not_there_says_which(db: None) -> None:
    with pytest.raises(BlobLost, match=SHA256):
        services.open_blob(SHA256)
    assert services.size_of(SHA256) is None


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "/etc/passwd", f"{SHA256}/..", SHA256.upper(), "0" * 63]
)
def test_nothing_but_a_digest_becomes_a_path(name: str) -> None:
    with pytest.raises(InvalidDigest, match="64 lower-case hexadecimal digits"):
        path_of(name)


def test_the_file_and_both_folders_are_synced_around_the_rename(
    monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    done: list[str] = []
    sync, rename, open_files = os.fsync, Path.rename, Path("/proc/self/fd")

    def note_sync(descriptor: int) -> None:
        done.append((open_files / str(descriptor)).readlink().name[:6])
        sync(descriptor)

    def note_rename(source: Path, target: Path) -> Path:
        done.append("rename")
        return rename(source, target)

    with Part() as part:
        part.write(HELLO)
        make_folder(data_folder / "blobs")  # which was found, and synced, before
        monkeypatch.setattr(os, "fsync", note_sync)
        monkeypatch.setattr(Path, "rename", note_rename)
        part.keep()
    assert done == [".part-", "blobs", "rename", SHA256[:2], "parts"]


def test_a_folder_that_another_process_made_is_synced_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done: list[Path] = []
    sync, open_files = os.fsync, Path("/proc/self/fd")

    def note(descriptor: int) -> None:
        done.append((open_files / str(descriptor)).readlink())
        sync(descriptor)

    (tmp_path / "a").mkdir()  # and it was not synced yet
    monkeypatch.setattr(os, "fsync", note)
    for _ in range(3):
        make_folder(tmp_path / "a" / "b")
    assert done == [tmp_path, tmp_path / "a", tmp_path / "a"]


def test_a_sync_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[int] = []

    def fail(_: int) -> None:
        done.append(1)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output error"):
            make_folder(tmp_path)
    assert len(done) == 2


def test_what_was_announced_is_compared_with_what_came() -> None:
    with Part() as part:
        part.write(HELLO)
        with pytest.raises(TruncatedUpload, match="expected 6 bytes, found 5"):
            part.check(sha256=SHA256, size_bytes=6)
        with pytest.raises(DigestMismatch, match=f"found sha256:{SHA256}"):
            part.check(sha256="0" * 64, size_bytes=5)
    assert list(parts_folder().iterdir()) == []


def test_folders_are_for_this_user_only(db: None, data_folder: Path) -> None:
    services.store(HELLO, holder="system")
    assert {p.stat().st_mode & 0o777 for p in data_folder.rglob("*") if p.is_dir()} == {0o700}


def test_the_sweep_removes_parts_whose_upload_is_dead(db: None) -> None:
    now = datetime.now(UTC)
    assert services.sweep(now=now) == 0
    with Part() as dead, Part() as alive:
        long_ago = (now - timedelta(hours=25)).timestamp()
        os.utime(dead._path, (long_ago, long_ago))
        assert services.sweep(now=now) == 1
        assert [p.name for p in parts_folder().iterdir()] == [alive._path.name]


def test_the_sweep_is_a_task_by_name(db: None) -> None:
    assert tasks.sweep.name == "storage.sweep"
    tasks.sweep()


@pytest.mark.parametrize(("sha256", "size"), [("x" * 64, 1), (SHA256.upper(), 1), (SHA256, -1)])
def test_the_database_refuses_rows_that_cannot_be(sha256: str, size: int, db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Blob.objects.create(sha256=sha256, size_bytes=size)

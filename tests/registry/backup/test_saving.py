# SPDX-License-Identifier: Apache-2.0
"""A backup is whole or none: what was interrupted, changed or lost is never taken for one."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import override_settings

from assay.signing import canonical
from assay.signing.keys import SoftwareKey
from registry.backup import database, layout, saving
from registry.backup.errors import (
    BackupBusy,
    BackupDamaged,
    BlobMissing,
    NoAuthorityHere,
    NoBackup,
)
from registry.catalog.models import Checkpoint
from registry.storage import services as storage
from registry.storage.files import path_of
from registry.storage.models import Blob
from tests.registry.authority.test_no_key_leaks import Secrets, found_in, raw
from tests.registry.authority.test_no_key_leaks import secrets_of as secrets_below
from tests.registry.backup import places
from tests.registry.backup.places import CHECKOUT
from tests.registry.catalog.world import World, by_person, publish
from tests.running import Authority
from tests.thorough import thorough

pytestmark = thorough

AT = datetime(2026, 11, 20, 18, 3, 22, tzinfo=UTC)
NAME = "20261120T180322Z"
PATIENCE_SECONDS = 60.0


@pytest.fixture
def backups(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A folder with one backup."""
    saving.save(tmp_path / "backups", at=AT)
    return tmp_path / "backups"


def test_the_second_backup_copies_only_what_is_new(backups: Path, world: World) -> None:
    before = {path: path.stat().st_mtime_ns for path in (backups / "blobs").rglob("*/*")}
    storage.store(b"one more", holder="test")
    second = saving.save(backups, at=AT + timedelta(hours=1))
    assert (second.blobs, second.copied) == (len(before) + 1, 1)
    assert all(path.stat().st_mtime_ns == at for path, at in before.items())
    assert layout.open_backup(backups).folder == second.backup.folder
    assert layout.open_backup(backups / NAME).folder == backups / NAME


def test_a_blob_that_rotted_in_the_folder_is_copied_again(backups: Path) -> None:
    blob = next((backups / "blobs").rglob("?" * 64))
    before = blob.read_bytes()
    blob.write_bytes(bytes([before[0] ^ 1]) + before[1:])
    assert saving.save(backups, at=AT + timedelta(hours=1)).copied == 1
    assert blob.read_bytes() == before
    layout.check_blobs(layout.open_backup(backups / NAME))  # the earlier one is whole again, too


def secrets_of(authority: Authority) -> Secrets:
    return secrets_below(authority.directory, authority.passphrase_file.read_bytes().strip())


def held_in(backups: Path) -> bytes:
    """All that is in backups, of the database what is restored of it: its dump is compressed."""
    sql = subprocess.run(
        (database._program("pg_restore"), "--file=-", backups / NAME / layout.DUMP),
        capture_output=True,
        check=True,
    ).stdout
    return b"\n".join((sql, *(path.read_bytes() for path in backups.rglob("*") if path.is_file())))


def test_no_key_is_in_a_backup(backups: Path, authority: Authority) -> None:
    held = held_in(backups)
    assert b"CREATE TABLE public.ledger_entry " in held
    assert found_in(held, secrets_of(authority)) == set()
    assert sorted(path.name for path in (backups / NAME / "signer").iterdir()) == [
        "audit.jsonl",
        "head.json",
        "trust-root.json",
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (backups, backups / NAME))


@pytest.mark.parametrize("form", ["its PEM", "its scalar"])
def test_a_key_that_were_in_the_database_would_be_found(
    checkpoint: Checkpoint, authority: Authority, tmp_path: Path, form: str
) -> None:
    path = authority.directory / "intermediates" / "output.key.pem"
    passphrase = authority.passphrase_file.read_bytes().strip()
    scalar = raw(SoftwareKey.load(path, passphrase).private)
    planted = {"its PEM": path.read_text(), "its scalar": scalar.hex()}[form]
    Session.objects.create(session_key="planted", session_data=planted, expire_date=AT)
    saving.save(tmp_path / "backups", at=AT)
    assert found_in(held_in(tmp_path / "backups"), secrets_of(authority))


@pytest.mark.parametrize(
    "name", ["database.dump", "blobs.txt", "manifest.json", "signer/audit.jsonl", "blob"]
)
def test_one_flipped_bit_is_found(backups: Path, name: str) -> None:
    blob = next((backups / "blobs").rglob("?" * 64))
    path = blob if name == "blob" else backups / NAME / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BackupDamaged, match="restore another backup, or make a new one"):
        layout.check_blobs(layout.open_backup(backups))


@pytest.mark.parametrize("name", ["database.dump", "blob"])
def test_a_lost_file_is_found(backups: Path, name: str) -> None:
    blob = next((backups / "blobs").rglob("?" * 64))
    (blob if name == "blob" else backups / NAME / name).unlink()
    with pytest.raises(BackupDamaged, match="No such file"):
        layout.check_blobs(layout.open_backup(backups))


@pytest.mark.parametrize("change", ["other", "fewer", "none", "twice"])
def test_a_manifest_of_other_files_is_none(backups: Path, change: str) -> None:
    path = backups / NAME / "manifest.json"
    manifest = json.loads(path.read_bytes())
    first, *rest = manifest["files"]
    manifest["files"] = {
        "other": [first | {"name": "../../etc/passwd"}, *rest],
        "fewer": rest,
        "none": [],
        "twice": [rest[0], *rest],
    }[change]
    path.write_bytes(canonical.dumps(manifest))
    with pytest.raises(
        BackupDamaged, match=r"files: expected each of blobs\.txt, database\.dump, "
    ):
        layout.open_backup(backups)


@pytest.mark.parametrize("line", ["nonsense", f"{'../' * 21}a 4", f"{'a' * 64} -4", "\N{BELL}"])
def test_a_list_of_blobs_that_is_none_is_refused(backups: Path, line: str) -> None:
    data = (backups / NAME / "blobs.txt").read_bytes()
    places.forge(backups / NAME, "blobs.txt", data + line.encode() + b"\n")
    with pytest.raises(BackupDamaged, match="expected a digest and a size in each line"):
        layout.open_backup(backups).blobs()


def test_a_blob_that_is_listed_twice_is_refused(backups: Path) -> None:
    data = (backups / NAME / "blobs.txt").read_bytes()
    places.forge(backups / NAME, "blobs.txt", data + data)
    with pytest.raises(BackupDamaged, match="each digest once"):
        layout.open_backup(backups).blobs()


def test_a_killed_backup_is_none_and_the_next_one_clears_it_away(
    backups: Path, world: World
) -> None:
    (backups / NAME).rename(backups.parent / "away")
    with half_way(backups) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)
    assert (backups / layout.UNFINISHED).is_dir()
    with pytest.raises(NoBackup, match="finished at least once"):
        layout.open_backup(backups)
    saving.save(backups, at=AT)
    assert not (backups / layout.UNFINISHED).exists()
    assert layout.open_backup(backups).folder.name == NAME


def test_one_backup_at_a_time(backups: Path) -> None:
    with (backups / layout.LOCK).open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BackupBusy, match="wait for it"):
            saving.save(backups, at=AT)


def test_no_secret_of_the_database_is_in_a_command_line(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real program, after a script that tells how it was called."""
    script, told = tmp_path / "pg_dump", tmp_path / "told"
    real = database._program("pg_dump")
    script.write_text(
        f'#!/bin/sh\necho "$@" > {told}.words\ncp "$PGSERVICEFILE" {told}.service\n'
        f'stat -c %a "$PGSERVICEFILE" >> {told}.service\nexec {real} "$@"\n'
    )
    script.chmod(0o700)
    monkeypatch.setattr(database, "_program", lambda _name: script)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "sslpassword", "of the key")
    saving.save(tmp_path / "backups", at=AT)
    assert "of the key" not in told.with_suffix(".words").read_text()
    assert told.with_suffix(".service").read_text() == "[assay]\nsslpassword=of the key\n600\n"


def test_a_full_disk_leaves_no_backup_and_says_so(checkpoint: Checkpoint, tmp_path: Path) -> None:
    ended = places.source().manage(
        "backup", tmp_path / "backups", limit="-f 64"
    )  # more than the signer's files, less than a dump
    assert ended.returncode == 1
    assert "database-program-failed: pg_dump" in ended.stderr
    assert sorted(path.name for path in (tmp_path / "backups").iterdir()) == ["lock"]


def test_a_blob_that_does_not_fit_leaves_no_backup(world: World, tmp_path: Path) -> None:
    storage.store(os.urandom(3 << 20), holder="test")
    ended = places.source().manage("backup", tmp_path / "backups", limit="-f 4096")
    assert ended.returncode == 1
    assert "File too large; no backup was made" in ended.stderr
    assert not (tmp_path / "backups" / layout.UNFINISHED).exists()


def test_the_command_says_what_it_made(checkpoint: Checkpoint, tmp_path: Path) -> None:
    ended = places.source().manage("backup", tmp_path / "backups")
    assert ended.returncode == 0, ended.stderr
    count = Blob.objects.count()
    assert f"blobs    {count}, {count} of them new" in ended.stdout
    assert "keys are not in it" in ended.stdout


def test_blobs_in_a_bucket_are_in_the_backup(
    bucket: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    content = b"far away"
    blob = storage.store(content, holder="test")
    saving.save(tmp_path / "backups", at=AT)
    assert layout.blob_place(tmp_path / "backups", blob.sha256).read_bytes() == content


def test_a_lost_blob_is_no_backup(checkpoint: Checkpoint, tmp_path: Path) -> None:
    blob = storage.store(b"soon lost", holder="test")
    path_of(blob.sha256).unlink()
    with pytest.raises(BlobMissing, match="put it back from an older backup"):
        saving.save(tmp_path / "backups", at=AT)


def test_a_blob_with_other_bytes_is_no_backup(checkpoint: Checkpoint, tmp_path: Path) -> None:
    blob = storage.store(b"soon changed", holder="test")
    path_of(blob.sha256).write_bytes(b"just changed")
    with pytest.raises(BackupDamaged, match="has other bytes than its name says"):
        saving.save(tmp_path / "backups", at=AT)
    assert not layout.blob_place(tmp_path / "backups", blob.sha256).exists()


@pytest.mark.parametrize("lacks", ["trust-root.json", "head.json"])
def test_without_the_signers_folder_there_is_no_backup(
    checkpoint: Checkpoint, tmp_path: Path, lacks: str
) -> None:
    (tmp_path / "data" / "authority").mkdir(parents=True)
    for name in {*places.SIGNER} - {lacks}:
        source = Path(settings.DATA_DIR) / "authority" / name
        (tmp_path / "data" / "authority" / name).write_bytes(source.read_bytes())
    with (
        override_settings(DATA_DIR=tmp_path / "data"),
        pytest.raises(NoAuthorityHere, match=f"{lacks}.*make the backup on the machine that has"),
    ):
        saving.save(tmp_path / "backups", at=AT)


def test_a_backup_of_a_registry_that_goes_on_holds_together(
    backups: Path, world: World, tmp_path: Path
) -> None:
    """The database's state is one of before the blobs: what comes meanwhile is not in it."""
    with half_way(backups) as process:
        publish(by_person(world, name="meanwhile"))
    assert process.wait(PATIENCE_SECONDS) == 0
    with places.empty(tmp_path / "elsewhere") as place:
        assert place.restore(backups).checked.signatures > 0


@contextmanager
def half_way(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `manage.py backup` that waits in the middle, for a table that the block has locked."""
    place = places.source()
    with (
        place.supervised(),
        psycopg.connect(place.database_url) as session,
        psycopg.connect(place.database_url, autocommit=True) as watch,
    ):
        session.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        environment = os.environ | {"DATABASE_URL": place.database_url}
        process = subprocess.Popen(
            [sys.executable, str(CHECKOUT / "manage.py"), "backup", str(folder)], env=environment
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _waits(watch):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)  # another process: nothing wakes us
        yield process


def _waits(watch: psycopg.Connection[tuple[object, ...]]) -> bool:
    found = watch.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump' "
        "AND wait_event_type = 'Lock' AND datname = current_database()"
    ).fetchone()
    return found != (0,)

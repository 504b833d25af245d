# SPDX-License-Identifier: Apache-2.0
"""A backup is restored to an empty place, verified whole, and only then opened."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from assay.signing import canonical
from registry.backup import checking, saving
from registry.backup.errors import (
    AnotherRegistry,
    BackupDamaged,
    LedgerRolledBack,
    NotEmpty,
    NotVerified,
)
from registry.catalog.models import Checkpoint
from registry.ledger import folder, queries
from tests.registry.backup.places import Place, forge
from tests.registry.catalog.world import World, by_person, publish
from tests.running import Authority
from tests.signing.world import World as Elsewhere

AT = datetime(2026, 11, 20, 18, 3, 22, tzinfo=UTC)
NAME = "20261120T180322Z"


@pytest.fixture
def backup(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A folder with one backup."""
    saving.save(tmp_path / "backups", at=AT)
    return tmp_path / "backups"


def test_everything_is_verified_and_then_writes_open(
    backup: Path, place: Place, authority: Authority
) -> None:
    head = queries.tree_head()
    ended = place.manage("restore", backup)
    assert ended.returncode == 0, ended.stderr
    signatures = sum(map(len, queries.included(checking.BATCH)))
    assert f"verified     {head.size} entries, {signatures} signatures" in ended.stdout
    assert authority.trust_root.fingerprint in ended.stdout
    assert "Writes are open.\nNothing but the backup itself says" in ended.stdout
    assert place.may_write()
    restored = (place.data / "ledger" / folder.CHECKPOINT).read_text()
    assert restored == head.note
    for name in ("head.json", "audit.jsonl"):
        mine, theirs = place.data / "authority" / name, authority.directory / name
        assert theirs.read_bytes().startswith(mine.read_bytes())


def test_the_signers_own_mark_vouches_that_nothing_newer_was_signed(
    backup: Path, place: Place, authority: Authority
) -> None:
    here = place.put_signer(authority.directory)
    before = [(here / name).read_bytes() for name in ("head.json", "audit.jsonl")]
    assert place.restore(backup).is_vouched
    assert [(here / name).read_bytes() for name in ("head.json", "audit.jsonl")] == before


def test_a_backup_behind_the_signers_mark_is_refused_before_anything_is_touched(
    backup: Path, place: Place, authority: Authority, world: World
) -> None:
    publish(by_person(world, name="second"))
    place.put_signer(authority.directory)
    ended = place.manage("restore", backup)
    assert ended.returncode == 1
    assert "ledger-rolled-back: the signer's mark" in ended.stderr
    assert "Restore a newer backup" in ended.stderr
    with psycopg.connect(place.database_url) as session:
        tables = session.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() == (0,)


def test_a_backup_behind_a_tree_head_that_a_witness_saw_is_refused(
    backup: Path, place: Place, world: World, tmp_path: Path
) -> None:
    seen, newer = tmp_path / "seen", tmp_path / "newer"
    seen.write_text(queries.tree_head().note)
    publish(by_person(world, name="second"))
    newer.write_text(queries.tree_head().note)
    with pytest.raises(LedgerRolledBack, match=r"the tree head in .* older than what was signed"):
        place.restore(backup, seen=newer)
    assert place.restore(backup, seen=seen).is_vouched


def test_a_head_of_another_ledger_is_refused(backup: Path, place: Place, tmp_path: Path) -> None:
    forged = tmp_path / "forged"
    forged.write_text(queries.tree_head().note.replace("localhost", "elsewhere"))
    with pytest.raises(AnotherRegistry, match="expected a tree head of localhost"):
        place.restore(backup, seen=forged)


def test_a_ledger_of_another_history_is_refused_and_stays_closed(
    backup: Path, place: Place, authority: Authority
) -> None:
    head = place.put_signer(authority.directory) / "head.json"
    root = bytes(queries.tree_head().root).hex()
    head.write_text(head.read_text().replace(root, "ab" * 32))
    with pytest.raises(LedgerRolledBack, match=r"the signer's mark .* have another root"):
        place.restore(backup)
    assert not place.may_write()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE ledger_statement SET signature = leaf", "does not verify"),
        ("UPDATE ledger_statement SET timestamp = leaf", "does not verify"),
        ("UPDATE ledger_entry SET body = body || 'x' WHERE index = 0", "database holds another"),
        ("UPDATE ledger_treehead SET root = sha256('x')", "signed root"),
        ("UPDATE audit_auditrow SET actor = 'nobody'", "as it was written"),
    ],
)
def test_a_row_that_was_changed_is_found_and_nothing_opens(
    checkpoint: Checkpoint, place: Place, tmp_path: Path, change: str, said: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # past the triggers
        cursor.execute(change)
        cursor.execute("SET session_replication_role = origin")
    saving.save(tmp_path / "changed", at=AT)
    with pytest.raises(NotVerified, match=f"{said}.* restore another backup"):
        place.restore(tmp_path / "changed")
    assert not place.may_write()


def test_a_list_of_other_blobs_is_found_and_nothing_opens(backup: Path, place: Place) -> None:
    lines = (backup / NAME / "blobs.txt").read_text().splitlines(keepends=True)
    forge(backup / NAME, "blobs.txt", "".join(lines[1:]).encode())
    with pytest.raises(NotVerified, match="the database names other blobs"):
        place.restore(backup)
    assert not place.may_write()


@pytest.mark.parametrize("name", ["trust-root.json", "head.json"])
def test_a_document_that_is_none_is_refused(backup: Path, place: Place, name: str) -> None:
    forge(backup / NAME, f"signer/{name}", b"{}")
    with pytest.raises(BackupDamaged, match=f"{name}.* restore another backup"):
        place.restore(backup)


def test_another_registrys_keys_are_never_mixed_in(
    backup: Path, place: Place, authority: Authority
) -> None:
    here = place.put_signer(authority.directory)
    root = Elsewhere.create(at=AT).trust
    (here / "trust-root.json").write_bytes(canonical.dumps(root.to_json()))
    with pytest.raises(AnotherRegistry, match=r"the keys in .* are those of"):
        place.restore(backup)


def test_two_histories_of_one_signer_are_told_apart(
    backup: Path, place: Place, authority: Authority
) -> None:
    here = place.put_signer(authority.directory)
    lines = (here / "audit.jsonl").read_text().splitlines(keepends=True)
    (here / "audit.jsonl").write_text("".join([*lines[:-1], lines[-1].replace("1", "2")]))
    with pytest.raises(AnotherRegistry, match="two histories of one signer"):
        place.restore(backup)


def test_blobs_are_never_mixed_with_others(backup: Path, place: Place) -> None:
    (place.data / "blobs" / "ab").mkdir(parents=True)
    (place.data / "blobs" / "ab" / "stray").write_bytes(b"x")
    with pytest.raises(NotEmpty, match="has files: a backup is restored into an empty folder"):
        place.restore(backup)


def test_a_second_restoration_is_refused(backup: Path, place: Place) -> None:
    place.restore(backup)
    with pytest.raises(NotEmpty, match=r"the database restored_.* has .* tables"):
        place.restore(backup)

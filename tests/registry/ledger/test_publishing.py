# SPDX-License-Identifier: Apache-2.0
"""The ledger's static files: there before a tree head is, repaired after a kill, made again."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from assay.signing import merkle, tiles, treehead
from assay.signing.errors import BadTile
from assay.signing.tiles import MAX_ENTRY_BYTES
from registry.ledger import folder, publishing, queries, services, stored, tasks
from registry.ledger.errors import LedgerDamaged
from registry.ledger.models import Entry
from tests.registry.ledger.files import fetch, proven_size
from tests.registry.ledger.statements import record
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def checkpoint() -> treehead.TreeHead:
    return treehead.parse(fetch(folder.CHECKPOINT).decode())


def check_files(authority: Authority, size: int) -> None:
    assert proven_size(authority) == size


def grow(*numbers: int) -> None:
    record(*numbers)
    services.integrate()


def spoil(sql: str, *values: bytes) -> None:
    """What an intruder could do who owns the database: no trigger stops him."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET session_replication_role = DEFAULT")


def test_every_integration_leaves_files_that_prove_it(authority: Authority) -> None:
    for number in range(4):
        grow(number)
        check_files(authority, number + 1)


def test_a_full_tile_takes_the_place_of_its_partial_ones(
    authority: Authority,
) -> None:
    grow(*range(5))
    assert folder.read("tile/entries/000.p/5") is not None
    Entry.objects.bulk_create(
        Entry(body=b"%d" % n, leaf_hash=merkle.leaf_hash(b"%d" % n).hex()) for n in range(252)
    )
    services.integrate()
    check_files(authority, 257)
    names = {str(path.relative_to(folder.place(""))) for path in folder.place("").rglob("*.p")}
    assert names == {"tile/0/001.p", "tile/entries/001.p", "tile/1/000.p"}


def test_other_users_may_read_the_files_and_nobody_may_write_them(authority: Authority) -> None:
    grow(1)
    for path in folder.place("").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


@pytest.mark.parametrize("torn", [b"", b"torn", None])
def test_what_a_kill_left_out_is_written_by_the_next_integration(
    authority: Authority, torn: bytes | None
) -> None:
    """Killed after the first tile of two entries more: the tree head there is still the old one."""
    grow(1, 2)
    note = fetch(folder.CHECKPOINT)
    grow(3, 4)
    folder.place(folder.CHECKPOINT).write_bytes(note)
    for path in ("tile/0/000.p/4", "tile/entries/000.p/4"):
        folder.place(path).unlink()
        if torn is not None:
            folder.place(path).write_bytes(torn)
    services.integrate()
    check_files(authority, 4)


def test_no_tree_head_is_shown_before_its_tiles(authority: Authority) -> None:
    """The disk is full when the tiles should be written: nothing is shown, and nothing is lost."""
    grow(1)
    tiles_of_leaves = folder.place("tile/0")
    aside = tiles_of_leaves.rename(tiles_of_leaves.with_name("aside"))
    tiles_of_leaves.write_bytes(b"a file where the folder should be")
    record(2)
    with pytest.raises(OSError, match="tile/0"):
        services.integrate()
    assert (queries.tree_head().size, checkpoint().size) == (1, 1)
    tiles_of_leaves.unlink()
    aside.rename(tiles_of_leaves)
    services.integrate()
    check_files(authority, 2)


def test_a_head_that_was_stored_and_not_shown_is_shown_by_the_next_call(
    authority: Authority,
) -> None:
    grow(1)
    assert not queries.has_pending()
    folder.place(folder.CHECKPOINT).unlink()
    assert queries.has_pending()  # the sweep makes that call, though nothing new is logged
    services.integrate()
    check_files(authority, 1)
    assert not queries.has_pending()


@pytest.mark.parametrize("size", [1, 9])
def test_a_folder_of_another_ledger_is_written_over(authority: Authority, size: int) -> None:
    root = bytes(32)
    other = treehead.TreeHead(origin="other.test/ledger", size=size, root=root)
    folder.write(folder.CHECKPOINT, f"{other.body()}\n— other.test/ledger AAAAAAAA\n".encode())
    folder.write("tile/0/000.p/1", root)
    grow(1)
    check_files(authority, 1)


def test_writing_again_what_is_there_changes_no_file(authority: Authority) -> None:
    grow(1, 2)
    before = folder.place("tile/0/000.p/2").stat()
    publishing.write_tiles(2, written=0)
    after = folder.place("tile/0/000.p/2").stat()  # but for when it was read
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_entry_that_no_tile_can_hold_is_never_recorded(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "MAX_ENTRY_BYTES", 100)
    with pytest.raises(BadTile, match="at most 100 bytes"):
        record(1)
    assert not Entry.objects.exists()


def rebuild() -> str:
    output = StringIO()
    call_command("ledger", "rebuild", stdout=output)
    return output.getvalue()


def test_rebuilding_verifies_everything_and_writes_every_file(authority: Authority) -> None:
    grow(1, 2)
    grow(*range(3, 8))
    for path in ("tile/0/000.p/7", folder.CHECKPOINT):
        folder.place(path).unlink()
    folder.place("tile/entries/000.p/7").write_bytes(b"torn")
    assert "entries  7\n" in rebuild()
    check_files(authority, 7)


def test_rebuilding_more_than_a_tile(authority: Authority) -> None:
    grow(1, 2, 3)
    Entry.objects.bulk_create(
        Entry(body=b"%d" % n, leaf_hash=merkle.leaf_hash(b"%d" % n).hex()) for n in range(600)
    )
    services.integrate()
    assert "entries  603\n" in rebuild()
    check_files(authority, 603)


def test_an_empty_ledger_has_nothing_to_rebuild(authority: Authority) -> None:
    with pytest.raises(CommandError, match="nothing has been logged"):
        rebuild()


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE ledger_entry SET body = 'x' WHERE index = 1", "subtree 0/1"),
        ("UPDATE ledger_hash SET digest = %s WHERE level = 1", "subtree 1/0"),
        (
            "UPDATE ledger_treehead SET root = %s WHERE size = 3",
            "expected the signed root of the first 3",
        ),
        ("UPDATE ledger_treehead SET note = replace(note, E'\\n3\\n', E'\\n4\\n')", "of 3 entries"),
        ("DELETE FROM ledger_hash WHERE level = 1", "the database holds 0"),
        ("DELETE FROM ledger_entry WHERE index = 1", "the database holds 2"),
    ],
)
def test_a_contradiction_is_found_and_nothing_is_written(
    authority: Authority, sql: str, found: str
) -> None:
    grow(1, 2, 3)
    tile = fetch("tile/0/000.p/3")
    folder.place("tile/0/000.p/3").unlink()
    values = (b"\x01" * 32,) if "%s" in sql else ()
    spoil(sql, *values)
    with pytest.raises(CommandError, match=found):
        rebuild()
    assert folder.read("tile/0/000.p/3") is None
    folder.write("tile/0/000.p/3", tile)


def test_rows_that_are_missing_are_named(authority: Authority) -> None:
    grow(1)
    with pytest.raises(LedgerDamaged, match="expected 2 entries from 0, the database holds 1"):
        stored.bodies(0, 2)
    with pytest.raises(LedgerDamaged, match="expected 2 entries from 0, the database holds 1"):
        stored.bundle(0, 2)
    with pytest.raises(LedgerDamaged, match="expected 1 entries from 7, the database holds 0"):
        stored.bundle(7, 1)


def test_a_bundle_is_what_a_tile_has_of_its_entries(authority: Authority) -> None:
    bodies = [b"", b"one", bytes(range(256)) * 130, bytes(MAX_ENTRY_BYTES)]
    for body in bodies:
        services.log(body)
    services.integrate()
    assert stored.bundle(0, 4) == tiles.entry_bundle(stored.bodies(0, 4))
    assert stored.bundle(1, 2) == tiles.entry_bundle(bodies[1:3])


def test_what_killed_writers_left_is_removed_after_an_hour(authority: Authority) -> None:
    grow(1)
    left = folder.place("tile/0/.000.p.abc.part")
    left.write_bytes(b"half")
    tasks.sweep()
    assert left.exists()
    os.utime(left, (0, 0))
    assert folder.sweep(now=timezone.now()) == 1
    assert not left.exists()
    check_files(authority, 1)

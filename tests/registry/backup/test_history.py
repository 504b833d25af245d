# SPDX-License-Identifier: Apache-2.0
"""A restoration counts what the signer's files know, and never replaces more by less."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.signing.certificates import Purpose
from assay.signing.intermediates import Name
from assay.signing.signer.__main__ import open_service
from assay.signing.signer.client import SignerClient
from assay.signing.signer.keyring import Keyring
from assay.signing.signer.opening import open_folder
from registry.backup import saving, wrapping
from registry.backup.errors import AnotherRegistry, BackupDamaged, LedgerRolledBack
from registry.catalog.models import Checkpoint
from registry.ledger import queries
from tests.registry.backup.places import Place, forge
from tests.registry.catalog.world import World, by_person, publish
from tests.running import Authority
from tests.thorough import thorough

pytestmark = thorough

AT = datetime(2026, 11, 20, 18, 3, 22, tzinfo=UTC)
NAME = "20261120T180322Z"
MARK, AUDIT = "head.json", "audit.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The bytes of a signer's mark and audit file."""

    mark: bytes
    audit: bytes

    @classmethod
    def of(cls, folder: Path) -> Signer:
        """As they are now."""
        return cls(mark=(folder / MARK).read_bytes(), audit=(folder / AUDIT).read_bytes())

    @property
    def size(self) -> int:
        """How many entries the mark says were signed."""
        size = json.loads(self.mark)["size"]
        assert isinstance(size, int)
        return size


@pytest.fixture
def backup(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A folder with one backup."""
    saving.save(tmp_path / "backups", at=AT)
    return tmp_path / "backups"


def test_an_audit_file_that_lost_its_mark_still_tells_what_was_signed(
    backup: Path, place: Place, authority: Authority, world: World
) -> None:
    publish(by_person(world, name="second"))
    here = place.put_signer(authority.directory)
    (here / MARK).unlink()
    before = (here / AUDIT).read_bytes()
    with pytest.raises(LedgerRolledBack, match=r"the newest tree head in the signer's audit file"):
        place.restore(backup)
    assert (here / AUDIT).read_bytes() == before
    assert not (here / MARK).exists()


def test_the_backups_own_audit_file_is_counted_as_its_mark_is(backup: Path, place: Place) -> None:
    audit = (backup / NAME / "signer" / AUDIT).read_bytes()
    line = {"op": "sign_head", "root": "ab" * 32, "size": queries.assigned_size() + 1}
    forge(backup / NAME, f"signer/{AUDIT}", audit + json.dumps(line).encode() + b"\n")
    with pytest.raises(LedgerRolledBack, match="the newest tree head in the backup's audit file"):
        place.restore(backup)


def test_a_longer_audit_file_is_never_replaced(
    backup: Path, place: Place, authority: Authority
) -> None:
    SignerClient(authority.socket).sign_crl(Name(purpose=Purpose.OUTPUT), ())
    now = Signer.of(place.put_signer(authority.directory))
    here = place.data / "authority"
    (here / MARK).unlink()
    assert len(now.audit) > len((backup / NAME / "signer" / AUDIT).read_bytes())
    restored = place.restore(backup)
    assert restored.is_vouched
    assert restored.lost_lines == 0
    assert Signer.of(here).audit == now.audit
    assert Signer.of(here).size == now.size


def test_a_newer_mark_is_kept_and_the_lines_that_it_alone_knows_are_told(
    checkpoint: Checkpoint, place: Place, authority: Authority, world: World, tmp_path: Path
) -> None:
    """The audit file of the day before, and a mark that left the machine an hour ago."""
    old = Signer.of(authority.directory)
    publish(by_person(world, name="second"))
    saving.save(tmp_path / "backups", at=AT)
    forge(tmp_path / "backups" / NAME, f"signer/{MARK}", old.mark)
    forge(tmp_path / "backups" / NAME, f"signer/{AUDIT}", old.audit)
    new = Signer.of(place.put_signer(authority.directory))
    (place.data / "authority" / AUDIT).unlink()
    ended = place.manage("restore", tmp_path / "backups")
    assert ended.returncode == 0, ended.stderr
    assert " lines of the signer's audit file are lost: " in ended.stdout
    restored = Signer.of(place.data / "authority")
    assert restored.size == new.size > old.size
    assert restored.audit == old.audit
    check_starts(place, authority)


def test_a_tree_head_that_a_witness_saw_becomes_the_mark(
    checkpoint: Checkpoint, place: Place, authority: Authority, world: World, tmp_path: Path
) -> None:
    old = Signer.of(authority.directory)
    publish(by_person(world, name="second"))
    saving.save(tmp_path / "backups", at=AT)
    forge(tmp_path / "backups" / NAME, f"signer/{MARK}", old.mark)
    forge(tmp_path / "backups" / NAME, f"signer/{AUDIT}", old.audit)
    (tmp_path / "seen").write_text(queries.tree_head().note)
    assert place.restore(tmp_path / "backups", seen=tmp_path / "seen").is_vouched
    assert Signer.of(place.data / "authority").size == queries.tree_head().size
    check_starts(place, authority)


@pytest.mark.parametrize("is_first", [True, False], ids=["unwrapped first", "restored first"])
def test_an_intermediate_stays_stopped_though_its_keys_were_wrapped_before(
    checkpoint: Checkpoint, place: Place, authority: Authority, tmp_path: Path, is_first: bool
) -> None:
    output = Name(purpose=Purpose.OUTPUT)
    wrapped = wrap(authority)
    SignerClient(authority.socket).stop(output)
    saving.save(tmp_path / "backups", at=AT)
    if is_first:
        unwrap(wrapped, place)
        place.restore(tmp_path / "backups")
    else:
        place.restore(tmp_path / "backups")
        unwrap(wrapped | {"intermediates/stopped/output": b""}, place)
    keyring = Keyring(authority.passphrase_file.read_bytes().strip())
    assert output in open_folder(place.data / "authority", keyring=keyring).stopped


@pytest.mark.parametrize("line", [b'{"op":"sign_head"}\n', b"sign_head\n"])
def test_an_audit_file_that_is_none_is_refused(
    backup: Path, place: Place, authority: Authority, line: bytes
) -> None:
    with (place.put_signer(authority.directory) / AUDIT).open("ab") as file:
        file.write(line)
    with pytest.raises(AnotherRegistry, match="give the file that the backup's own registry"):
        place.restore(backup)
    forge(backup / NAME, f"signer/{AUDIT}", line)
    (place.data / "authority" / AUDIT).unlink()
    with pytest.raises(BackupDamaged, match="restore another backup"):
        place.restore(backup)


def wrap(authority: Authority) -> dict[str, bytes]:
    """The signer's keys, by way of their wrapping."""
    wrapped = wrapping.wrap(authority.directory, signer_passphrase=b"x", passphrase=b"y")
    return dict(wrapping.unwrap(wrapped, passphrase=b"y"))


def unwrap(files: dict[str, bytes], place: Place) -> None:
    """Put keys there."""
    place.data.mkdir(exist_ok=True)
    wrapping.put(files, folder=place.data / "authority", passphrase_file=place.data / "passphrase")


def check_starts(place: Place, authority: Authority) -> None:
    """The signer starts there, with its keys and what was restored."""
    unwrap(wrap(authority), place)
    passphrase = authority.passphrase_file.read_bytes().strip()
    open_service(place.data / "authority", passphrase=passphrase)

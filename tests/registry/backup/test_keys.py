# SPDX-License-Identifier: Apache-2.0
"""The signer's keys are wrapped apart from the backups, and open only with their own passphrase."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing.certificates import Purpose
from assay.signing.intermediates import Name
from assay.signing.signer.__main__ import open_service
from assay.signing.signer.client import SignerClient
from assay.signing.signer.service import SignerService
from registry.backup import wrapping
from registry.backup.errors import KeysNotOpened, NoAuthorityHere, NotEmpty
from tests.registry.authority.test_rotating import say
from tests.registry.backup import places
from tests.registry.backup.places import Place
from tests.running import Authority

SIGNERS, OURS = b"the signer's own\n", b"the wrapping's"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess need not cost half a second here."""
    monkeypatch.setattr(wrapping, "SCRYPT_N", 2)


@pytest.fixture
def wrapped(authority: Authority) -> bytes:
    return wrapping.wrap(authority.directory, signer_passphrase=SIGNERS, passphrase=OURS)


def test_keys_come_back_as_they_were(wrapped: bytes, authority: Authority) -> None:
    files = wrapping.unwrap(wrapped, passphrase=OURS)
    assert files["passphrase"] == SIGNERS
    assert "intermediates/checkpoint.key.pem" in files
    for name in files.keys() - {"passphrase"}:
        assert files[name] == (authority.directory / name).read_bytes()


def test_root_key_leaves_mark_and_audit_stay_out(wrapped: bytes) -> None:
    names = wrapping.unwrap(wrapped, passphrase=OURS)
    assert not [name for name in names if name.startswith(("offline", "leaves"))]
    assert not {"head.json", "audit.jsonl", "lock"} & names.keys()


def test_a_rotation_underway_a_stop_and_a_later_intermediate_come_back(
    db: None, authority: Authority
) -> None:
    client = SignerClient(authority.socket)
    say("rotate", "output", *authority.root_words)
    client.stop(Name(purpose=Purpose.OUTPUT))
    client.prepare_intermediate(Purpose.NODE)
    data = wrapping.wrap(authority.directory, signer_passphrase=SIGNERS, passphrase=OURS)
    names = wrapping.unwrap(data, passphrase=OURS).keys()
    assert {"intermediates/stopped/output", "intermediates/output-2/key.pem"} <= names
    assert not [name for name in names if "pending" in name]


def test_nothing_can_be_read_in_the_file(wrapped: bytes) -> None:
    assert b"PRIVATE" not in wrapped
    assert SIGNERS.strip() not in wrapped


def test_another_passphrase_does_not_open_them(wrapped: bytes) -> None:
    with pytest.raises(KeysNotOpened, match="Try the passphrase again, then an older copy"):
        wrapping.unwrap(wrapped, passphrase=SIGNERS)


@pytest.mark.parametrize("place", [0, 5, 80, -1])
def test_a_flipped_bit_anywhere_is_found(wrapped: bytes, place: int) -> None:
    data = bytearray(wrapped)
    data[place] ^= 1
    with pytest.raises(KeysNotOpened):
        wrapping.unwrap(bytes(data), passphrase=OURS)


def test_a_name_that_leads_out_of_the_folder_is_refused(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrapping, "PASSPHRASE", "../passphrase")
    hostile = wrapping.wrap(authority.directory, signer_passphrase=SIGNERS, passphrase=OURS)
    with pytest.raises(KeysNotOpened):
        wrapping.unwrap(hostile, passphrase=OURS)


def test_without_keys_there_is_nothing_to_wrap(tmp_path: Path) -> None:
    with pytest.raises(NoAuthorityHere, match="on the machine that has them"):
        wrapping.wrap(tmp_path, signer_passphrase=SIGNERS, passphrase=OURS)


def test_keys_are_never_replaced_by_others(wrapped: bytes, tmp_path: Path) -> None:
    files = wrapping.unwrap(wrapped, passphrase=OURS)
    targets = {"folder": tmp_path / "authority", "passphrase_file": tmp_path / "passphrase"}
    wrapping.put(files, **targets)
    wrapping.put(files, **targets)  # an unwrapping that was killed is repeated
    with pytest.raises(NotEmpty, match="keys are never replaced"):
        wrapping.put({**files, "ledger.key.pem": b"another"}, **targets)
    for path in (tmp_path / "passphrase", tmp_path / "authority" / "ledger.key.pem"):
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.django_db(transaction=True)
def test_the_commands_put_a_signer_together_again(
    authority: Authority, place: Place, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.write_text("of the wrapping alone\n")
    own.chmod(0o600)
    words = (tmp_path / "keys", "--passphrase-file", own)
    assert places.source().manage("keys", "wrap", *words).returncode == 0
    again = places.source().manage("keys", "wrap", *words)
    assert "File exists" in again.stderr
    done = place.manage("keys", "unwrap", *words)
    assert done.returncode == 0, done.stderr
    assert "manage.py restore FOLDER" in done.stdout
    folder = place.data / "authority"
    for name in ("head.json", "audit.jsonl"):  # what `restore` puts there
        (folder / name).write_bytes((authority.directory / name).read_bytes())
    passphrase = (place.data / "secrets" / "signer-passphrase").read_bytes().strip()
    assert isinstance(open_service(folder, passphrase=passphrase), SignerService)
    own.write_text("another\n")
    assert "keys-not-opened: " in place.manage("keys", "unwrap", *words).stderr

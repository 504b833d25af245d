# SPDX-License-Identifier: Apache-2.0
"""The signer's keys are wrapped apart from the backups, and open only with their own passphrase."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.signing.certificates import Purpose
from assay.signing.intermediates import Name
from assay.signing.signer.__main__ import open_service
from assay.signing.signer.client import SignerClient
from assay.signing.signer.keyring import Keyring
from assay.signing.signer.opening import Opened, open_folder
from assay.signing.signer.service import SignerService
from registry.backup import wrapping
from registry.backup.errors import KeysNotOpened, KeysNotWrapped, NoAuthorityHere, NotEmpty
from tests.registry.authority.test_rotating import say
from tests.registry.backup import places
from tests.registry.backup.places import Place
from tests.running import Authority
from tests.thorough import thorough

pytestmark = thorough

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


@pytest.fixture
def copied(authority: Authority, tmp_path: Path) -> Path:
    """A copy of the signer's folder, to be brought into some state."""
    return Path(shutil.copytree(authority.directory, tmp_path / "authority", symlinks=True))


@pytest.mark.parametrize("content", [b"", b"it signs no more\n"], ids=["empty", "words"])
def test_keys_open_again_after_a_stop(
    authority: Authority, copied: Path, tmp_path: Path, content: bytes
) -> None:
    (copied / "intermediates" / "stopped").mkdir()
    (copied / "intermediates" / "stopped" / "output").write_bytes(content)
    opened = put_elsewhere(authority, copied, tmp_path / "elsewhere")
    assert list(opened.stopped) == [Name(purpose=Purpose.OUTPUT)]


def test_keys_open_again_in_the_midst_of_a_rotation(
    db: None, authority: Authority, tmp_path: Path
) -> None:
    SignerClient(authority.socket).prepare_intermediate(Purpose.NODE)
    pending = authority.directory / "intermediates" / ".node-2.pending"
    assert (pending / "key.pem").is_file()
    opened = put_elsewhere(authority, authority.directory, tmp_path / "elsewhere")
    assert opened.current(Purpose.NODE) == Name(purpose=Purpose.NODE)  # prepare is asked again


def test_keys_open_again_after_a_crash_left_part_of_a_file(
    authority: Authority, copied: Path, tmp_path: Path
) -> None:
    for name in (".ledger.key.pem.part", "intermediates/.output.pem.part"):
        (copied / name).write_bytes(b"-----BEGIN")
    put_elsewhere(authority, copied, tmp_path / "elsewhere")
    assert not list((tmp_path / "elsewhere").rglob("*.part"))


def test_what_would_not_open_again_is_not_wrapped(copied: Path) -> None:
    (copied / "my notes (old)").write_bytes(b"x")
    with pytest.raises(KeysNotWrapped, match=r"Move away .*: 'my notes \(old\)'"):
        wrapping.wrap(copied, signer_passphrase=SIGNERS, passphrase=OURS)


def test_more_than_keys_is_not_wrapped(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapping, "MAX_BYTES", 1 << 10)
    with pytest.raises(KeysNotWrapped, match="nothing was written"):
        wrapping.wrap(copied, signer_passphrase=SIGNERS, passphrase=OURS)


def put_elsewhere(authority: Authority, folder: Path, elsewhere: Path) -> Opened:
    """Wrap and unwrap the keys of a folder; what a signer opens there."""
    passphrase = authority.passphrase_file.read_bytes().strip()
    wrapped = wrapping.wrap(folder, signer_passphrase=passphrase, passphrase=OURS)
    files = wrapping.unwrap(wrapped, passphrase=OURS)
    wrapping.put(files, folder=elsewhere, passphrase_file=elsewhere.parent / "passphrase")
    return open_folder(elsewhere, keyring=Keyring(passphrase))


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


def test_a_name_that_leads_out_of_the_folder_is_refused() -> None:
    hostile = wrapping.seal({"../passphrase": SIGNERS}, passphrase=OURS)
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
    assert "expected a new file at" in again.stderr
    assert "File exists. Nothing was replaced" in again.stderr
    elsewhere = place.manage("keys", "wrap", tmp_path / "none", *words[1:])
    assert "expected the signer's passphrase in" in elsewhere.stderr
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

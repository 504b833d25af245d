# SPDX-License-Identifier: Apache-2.0
"""`authority init`: once, resumable, and with a root key that the signer cannot open."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from assay.signing.errors import KeyUnusable
from assay.signing.keys import SoftwareKey
from assay.signing.signer import ceremony as signing_ceremony
from assay.signing.signer.__main__ import open_service
from registry.authority import ceremony, queries


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    settings.DATA_DIR = tmp_path
    return tmp_path


def init(*words: str) -> str:
    said = io.StringIO()
    call_command("authority", "init", *words, stdout=said)
    return said.getvalue()


def passphrase(data: Path) -> bytes:
    return (data / "secrets" / "signer-passphrase").read_bytes().strip()


def test_it_makes_an_authority_that_the_signer_opens(data: Path) -> None:
    said = init()
    trust_root = queries.stored_trust_root()
    assert trust_root is not None
    assert trust_root.registry == "http://localhost:8000"
    assert trust_root.origin == "localhost:8000/ledger"
    assert f"sha256:{trust_root.fingerprint}" in said
    open_service(data / "authority", passphrase=passphrase(data))


def test_it_says_where_the_root_key_is_and_what_to_do_with_it(data: Path) -> None:
    said = init()
    assert str(data / "authority" / "offline") in said
    assert "offline" in said
    assert "delete the folder" in said


def test_the_root_key_has_a_passphrase_of_its_own(data: Path) -> None:
    init()
    offline = data / "authority" / "offline"
    with pytest.raises(KeyUnusable):
        SoftwareKey.load(offline / "root.key.pem", passphrase(data))
    own = (offline / "root.passphrase").read_bytes().strip()
    SoftwareKey.load(offline / "root.key.pem", own)
    assert stat.S_IMODE((offline / "root.passphrase").stat().st_mode) == 0o600
    assert [each.name for each in sorted(offline.iterdir())] == [
        "registry.url",
        "root.crl",
        "root.key.pem",
        "root.passphrase",
        "root.pem",
    ]


def test_once_more_shows_the_same(data: Path) -> None:
    assert init() == init()


def test_after_the_root_key_was_moved_away_it_is_not_mentioned(data: Path) -> None:
    init()
    offline = data / "authority" / "offline"
    for each in offline.iterdir():
        each.unlink()
    offline.rmdir()
    assert "root key" not in init()


def test_a_passphrase_file_may_be_given(data: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_text("a passphrase\n")
    given.chmod(0o600)
    init("--passphrase-file", str(given))
    open_service(data / "authority", passphrase=b"a passphrase")
    assert not (data / "secrets").exists()


def test_what_is_in_the_way_is_said(data: Path) -> None:
    (data / "authority").mkdir(mode=0o700)
    (data / "authority" / "trust-root.json").write_text("{}")
    with pytest.raises(CommandError, match="expected"):
        init()


def test_a_token_that_is_not_there_is_said_before_any_key_is_made(
    data: Path, tmp_path: Path
) -> None:
    pin, module = tmp_path / "pin", tmp_path / "module.so"
    words = ("--module", str(module), "--token", "x", "--pin-file", str(pin))
    with pytest.raises(CommandError, match=r"expected a PKCS#11 module's library in .*module\.so"):
        init(*words)
    module.touch()
    with pytest.raises(
        CommandError, match=r"expected the token's PIN in .*pin, found no such file"
    ):
        init(*words)
    assert not (data / "authority").exists()


def test_a_folder_that_is_a_mount_is_filled(data: Path) -> None:
    (data / "authority").mkdir(mode=0o700)
    init()
    assert not (data / "authority" / "making").exists()
    open_service(data / "authority", passphrase=passphrase(data))


def test_an_interrupted_one_is_finished_by_the_next(data: Path) -> None:
    """Killed after the ceremony, when half of its parts had been moved."""
    folder = data / "authority"
    folder.mkdir(mode=0o700)
    secret = ceremony.secret(data / "secrets" / "signer-passphrase")
    made = signing_ceremony.create(
        folder / "making",
        registry_url="http://localhost:8000",
        origin="localhost:8000/ledger",
        passphrase=secret,
        at=timezone.now(),
    )
    (folder / "making" / "offline").rename(folder / "offline")
    (folder / "making" / "head.json").rename(folder / "head.json")
    assert queries.stored_trust_root() is None
    init()
    assert queries.stored_trust_root() == made
    open_service(folder, passphrase=secret)
    with pytest.raises(KeyUnusable):
        SoftwareKey.load(folder / "offline" / "root.key.pem", secret)


def test_a_root_key_that_was_half_locked_away_is_locked_away(data: Path) -> None:
    init()
    offline = data / "authority" / "offline"
    own = (offline / "root.passphrase").read_bytes().strip()
    key = SoftwareKey.load(offline / "root.key.pem", own)
    (offline / "root.key.pem").rename(offline / "root.key.fresh")
    key.store(offline / "root.key.pem", passphrase(data))
    init()
    SoftwareKey.load(offline / "root.key.pem", own)
    assert not (offline / "root.key.fresh").exists()

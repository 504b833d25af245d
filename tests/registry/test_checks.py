# SPDX-License-Identifier: Apache-2.0
"""Deployment mistakes: each has its check, and a right deployment passes them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from assay.signing import trustmark
from tests.trainers.pictures import networks

SECURE = {
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}


def found() -> set[str | None]:
    return {
        message.id
        for message in run_checks(include_deployment_checks=True)
        if str(message.id).startswith(("assay.", "security.")) and not message.is_silenced()
    }


@pytest.fixture(autouse=True)
def _a_right_deployment(tmp_path: Path, settings: Settings) -> None:
    tmp_path.chmod(0o700)
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = "https://registry.example"
    settings.IS_LOCAL = False
    for name, value in SECURE.items():
        setattr(settings, name, value)


def test_a_right_deployment_passes() -> None:
    assert found() == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"SECRET_KEY_FILE": ""}, "assay.E001"),
        ({"PUBLIC_URL": "http://registry.example", "IS_LOCAL": True}, "assay.E002"),
        ({"LEDGER_ORIGIN": "two words"}, "assay.E005"),
        ({"LEDGER_ORIGIN": "registry+ledger"}, "assay.E005"),
        ({"LEDGER_ORIGIN": ""}, "assay.E005"),
        ({"BLOBS_LOCATION": "/stored-blobs/", "BEHIND_PROXY": False}, "assay.E009"),
    ],
)
def test_a_mistake_is_found(changes: dict[str, object], expected: str, settings: Settings) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found() == {expected}


def test_a_data_folder_that_others_may_read_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    assert found() == {"assay.E003"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(b"quorum none\n", set()), (b"quorum some\n", {"assay.E006"}), (None, {"assay.E006"})],
)
def test_a_policy_that_names_no_witnesses_is_found(
    settings: Settings, tmp_path: Path, policy: bytes | None, expected: set[str]
) -> None:
    settings.LEDGER_POLICY = str(tmp_path / "policy")
    if policy is not None:
        (tmp_path / "policy").write_bytes(policy)
    assert found() == expected


DOIS = {"DATACITE_ACCOUNT": "ABCD.ASSAY", "DOI_PREFIX": "10.5072"}


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({}, ""),
        ({"DATACITE_ACCOUNT": ""}, "found none: ASSAY_DATACITE_ACCOUNT"),
        ({"DOI_PREFIX": ""}, "found none: ASSAY_DOI_PREFIX"),
        ({"DATACITE_PASSWORD_FILE": ""}, "found none: ASSAY_DATACITE_PASSWORD_FILE"),
        ({"DATACITE_PASSWORD_FILE": "/nowhere"}, "expected a file of text to read"),
        ({"DATACITE_PASSWORD_FILE": "/dev/null"}, "expected a password in /dev/null"),
        ({"DOI_PREFIX": "5072"}, "expected a prefix like 10.5072"),
        ({"DATACITE_URL": "http://datacite.example"}, "expected https"),
    ],
)
def test_half_of_an_account_for_dois_is_found(
    changes: dict[str, str], hint: str, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    file.chmod(0o600)
    for name, value in {**DOIS, "DATACITE_PASSWORD_FILE": str(file), **changes}.items():
        setattr(settings, name, value)
    said = [str(each.hint) for each in run_checks(include_deployment_checks=True)]
    assert found() == ({"assay.E008"} if hint else set())
    assert any(hint in each for each in said) or not hint
    assert not any("sesame" in each for each in said)


def test_a_password_that_others_may_read_is_found(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    file.chmod(0o640)
    for name, value in {**DOIS, "DATACITE_PASSWORD_FILE": str(file)}.items():
        setattr(settings, name, value)
    assert found() == {"assay.E008"}


@pytest.mark.parametrize(
    ("secret", "mode", "expected"),
    [
        ("a" * 32, 0o600, set()),
        ("a" * 31, 0o600, {"assay.E010"}),
        ("a" * 32, 0o640, {"assay.E010"}),
    ],
)
def test_a_watermark_key_that_is_none_or_not_secret_is_found(
    settings: Settings, tmp_path: Path, secret: str, mode: int, expected: set[str]
) -> None:
    file = tmp_path / "watermark-key"
    file.write_text(secret)
    file.chmod(mode)
    settings.WATERMARK_KEY_FILE = str(file)
    assert found() == expected


def test_trustmark_without_its_networks_or_a_key_is_found(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trustmark, "SHA256", networks.made(tmp_path / "networks"))
    settings.TRUSTMARK = str(tmp_path / "networks")
    assert found() == {"assay.E011"}
    file = tmp_path / "watermark-key"
    file.write_text("a" * 32)
    file.chmod(0o600)
    settings.WATERMARK_KEY_FILE = str(file)
    assert found() == set()
    settings.CONVERTER = "off"
    assert found() == {"assay.E011"}
    settings.CONVERTER = ""
    (tmp_path / "networks" / trustmark.ENCODER).write_bytes(b"another")
    assert found() == {"assay.E011"}
    (tmp_path / "networks" / trustmark.ENCODER).unlink()
    assert found() == {"assay.E011"}


def test_debugging_in_public_is_found(settings: Settings) -> None:
    settings.DEBUG = True
    assert "assay.E004" in found()


def test_this_machine_may_do_without_encryption(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.IS_LOCAL = "http://localhost:8000", True
    assert found() == set()

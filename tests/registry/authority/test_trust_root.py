# SPDX-License-Identifier: Apache-2.0
"""The trust root over HTTP, and system checks on what it fixed for ever."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from django.core.checks import Error
from django.test import Client
from pytest_django import Settings

from assay.signing.trust import TrustRoot
from registry.authority import checks, queries
from registry.authority.errors import NoAuthority
from tests.running import Authority

URL = "/.well-known/assay/trust-root.json"


def test_it_is_served_as_the_bytes_of_its_fingerprint(authority: Authority, client: Client) -> None:
    answer = client.get(URL)
    assert answer["Content-Type"] == "application/json"
    assert hashlib.sha256(answer.content).hexdigest() == authority.trust_root.fingerprint
    assert TrustRoot.parse(json.loads(answer.content)) == authority.trust_root


def test_where_the_folder_is_not_mounted_the_signer_knows(
    authority: Authority, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    assert queries.stored_trust_root() is None
    assert queries.trust_root() == authority.trust_root


def test_without_an_authority_there_is_a_problem(
    settings: Settings, tmp_path: Path, client: Client
) -> None:
    settings.DATA_DIR = tmp_path
    settings.SIGNER_SOCKET = tmp_path / "nothing"
    with pytest.raises(NoAuthority, match="authority init"):
        queries.trust_root()
    answer = client.get(URL)
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert checks.names_are_permanent() == []


def test_the_names_that_were_fixed_pass_the_check(authority: Authority) -> None:
    assert checks.names_are_permanent() == []


@pytest.mark.parametrize(
    ("setting", "value", "number"),
    [
        ("PUBLIC_URL", "https://other.example", "authority.E001"),
        ("LEDGER_ORIGIN", "other.example/ledger", "authority.E002"),
    ],
)
def test_another_name_is_an_error_that_says_what_to_do(
    authority: Authority, settings: Settings, setting: str, value: str, number: str
) -> None:
    setattr(settings, setting, value)
    (found,) = checks.names_are_permanent()
    assert isinstance(found, Error)
    assert found.id == number
    assert value in found.msg
    assert "localhost:8000" in found.msg
    assert "permanent" in (found.hint or "")


def test_a_broken_trust_root_is_an_error(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "authority").mkdir()
    (tmp_path / "authority" / "trust-root.json").write_text("{}")
    (found,) = checks.names_are_permanent()
    assert found.id == "authority.E003"
    assert "Move its ASSAY_DATA_DIR (.data, unless it is set) aside" in (found.hint or "")
    with pytest.raises(NoAuthority):
        queries.trust_root()

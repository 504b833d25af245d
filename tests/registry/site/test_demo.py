# SPDX-License-Identifier: Apache-2.0
"""The demonstration is made once and found again; its secrets are files that only we can read."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import NoReturn

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.utils import timezone

from registry.accounts import services as accounts
from registry.accounts.models import Token, User
from registry.catalog.models import Dataset
from registry.catalog.services import Origin
from registry.conduct import standing
from registry.pool.models import Run
from registry.pool.recipe import Recipe
from registry.site import demo
from tests.running import Authority


@pytest.fixture(autouse=True)
def _a_short_library(
    db: None,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two texts stand for the standard library, and a folder of the test's own holds secrets."""
    (tmp_path / "a.py").write_text("import sys\n")
    (tmp_path / "b.py").write_text("import re\n")
    origin = Origin(folder=tmp_path, title="Texts", source="a test", license="CC0-1.0")
    monkeypatch.setattr("registry.catalog.services.standard_library", lambda: origin)
    secrets = tmp_path / "secrets"
    monkeypatch.setattr(demo, "_secret", lambda name: _made(secrets) / name)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def test_everything_a_run_needs_is_made() -> None:
    made = demo.prepare()
    assert made.run.project.full_name == "commons/stdlib-gpt"
    assert str(made.run.dataset) == "commons/python-standard-library"
    person = User.objects.get()
    for party in (person.namespace, made.run.project.owner):
        assert standing.is_good(party, made.run.conduct)


def test_the_recipe_is_one_that_the_pool_takes() -> None:
    assert Recipe.parse(demo.recipe()).sample.prompt == "def "


def test_a_second_time_finds_what_is_there() -> None:
    first, second = demo.prepare().to_json(), demo.prepare().to_json()
    assert first == second
    assert (Run.objects.count(), Dataset.objects.count(), Token.objects.count()) == (1, 1, 3)


def test_the_password_opens_and_is_readable_by_nobody_else() -> None:
    made = demo.prepare()
    password = made.password_file.read_text().strip()
    assert authenticate(username="demo", password=password) is not None
    for path in (made.password_file, *made.token_files.values()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_crash_while_a_secret_is_written_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole and durable, or not there: the next start then makes another."""

    def crash(descriptor: int) -> NoReturn:
        raise OSError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", crash)
        with pytest.raises(OSError, match="power"):
            demo._write(demo._secret("node.token"), "secret")
    assert list(demo._secret("x").parent.iterdir()) == []


def test_each_token_opens_its_own_scope_only() -> None:
    for scope, path in demo.prepare().token_files.items():
        token = accounts.authenticate(f"Bearer {path.read_text().strip()}", now=timezone.now())
        assert token is not None
        assert token.scopes == [scope]


@pytest.mark.parametrize("spoil", ["revoked", "lost", "damaged"])
def test_a_token_that_opens_nothing_is_replaced(spoil: str) -> None:
    made = demo.prepare()
    path = made.token_files["node"]
    match spoil:
        case "revoked":
            accounts.revoke_token(Token.objects.get(scopes=["node"]), by="system")
        case "lost":
            path.unlink()
        case _:
            path.write_text("assay_damaged\n")
    again = demo.prepare().token_files["node"].read_text().strip()
    assert accounts.authenticate(f"Bearer {again}", now=timezone.now()) is not None


def test_the_command_says_where_everything_is(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo")
    said = json.loads(capsys.readouterr().out)
    assert said["project"] == "commons/stdlib-gpt"
    for name in ("node_token_file", "generation_token_file", "outputs_token_file"):
        assert Path(said[name]).is_file()


def test_secrets_lie_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert demo._secret("x") == Path(settings.DATA_DIR) / "secrets" / "x"

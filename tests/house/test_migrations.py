# SPDX-License-Identifier: Apache-2.0
"""Migrations end in one for each app and describe its models, and the checks say it if not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.house import gates, migrations

MIGRATION = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [{after}]
    operations = []
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Path:
    """A folder in which the notices' migrations are looked for."""
    package = f"others_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"notices": package}
    return folder


def write(folder: Path, name: str, after: str = "") -> None:
    dependency = f'("notices", "{after}")' if after else ""
    (folder / f"{name}.py").write_text(MIGRATION.format(after=dependency), encoding="utf-8")


def test_every_app_has_one_last_migration_and_its_models_are_what_they_make() -> None:
    assert migrations.complaints() == []


def test_two_last_migrations_of_an_app_are_both_named(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(elsewhere, "0001_first")
    write(elsewhere, "0002_mine", after="0001_first")
    write(elsewhere, "0002_theirs", after="0001_first")
    assert migrations.main() == 1
    said = "notices: expected one last migration, found 0002_mine and 0002_theirs\n"
    assert capsys.readouterr().out == said


def test_a_model_that_no_migration_makes_is_named(elsewhere: Path) -> None:
    write(elsewhere, "0001_first")
    assert "notices: no migration says: Create model Hook" in migrations.complaints()


def test_it_is_one_of_the_checks() -> None:
    assert ("-m", "tests.house.migrations") in {gate.command[1:] for gate in gates.GATES}

# SPDX-License-Identifier: Apache-2.0
"""A wrong setting is one sentence, no traceback: what was expected and found, and what to do."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError

from registry.supervisor.commanding import is_away
from tests.running import free_port

COLUMNS, MAX_LINES = 80, 4
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    kept |= {"ASSAY_DATA_DIR": str(folder / "data"), "BROKER_URL": "redis://127.0.0.1:1"}
    yield kept | {"ASSAY_PORT": str(free_port())}
    shutil.rmtree(folder)


def said(environment: dict[str, str], word: str, **settings: str) -> str:
    """The one sentence that it ends with, folded to the terminal."""
    ended = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), word],
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout + ended.stderr
    lines = ended.stderr.splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert len(lines) <= MAX_LINES
    return " ".join(ended.stderr.split())


@pytest.mark.parametrize("word", ["up", "migrate"])
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "mysql://x", "must be like postgresql://user@host:5432/name, but its s"),
        (
            "DATABASE_URL",
            "postgresql://h:secret/n",
            "must be a URL whose port is a number",
        ),
        (
            "ASSAY_PUBLIC_URL",
            "nonsense",
            "must be like https://registry.example, but is 'nonsense'",
        ),
        ("ASSAY_PUBLIC_URL", "http://h:99999", "ASSAY_PUBLIC_URL must be a URL whose port is"),
    ],
)
def test_a_setting_that_is_none_is_one_line(
    environment: dict[str, str], word: str, name: str, value: str, expected: str
) -> None:
    settings = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", name: value}
    line = said(environment, word, **settings)
    assert expected in line
    assert "secret" not in line


@pytest.mark.parametrize("word", ["up", "migrate"])
def test_a_database_where_nobody_listens_is_one_line(
    environment: dict[str, str], word: str
) -> None:
    port = free_port()
    url = f"postgresql://me:hunter2@127.0.0.1:{port}/things"
    line = said(environment, word, DATABASE_URL=url)
    assert line.startswith(f"✘ expected PostgreSQL to answer at 127.0.0.1:{port}, database things")
    assert "Start it, or unset DATABASE_URL" in line
    assert "hunter2" not in line


def test_what_a_database_says_itself_is_no_absence() -> None:
    assert not is_away(OperationalError("deadlock detected"))

# SPDX-License-Identifier: Apache-2.0
"""What the program that converts says is a stranger's word; where there is none, that is said."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from pytest_django import Settings

from registry.catalog.content.formats import Refused
from registry.imports import apart
from registry.imports.errors import ImportsUnavailable

UNCONFINED = (
    """import json; print(json.dumps({"unconfined": "no Landlock"})); raise SystemExit(2)"""
)


def converter(tmp_path: Path, program: str) -> str:
    """A program in the place of Python, which ignores what it is told."""
    path = tmp_path / "python"
    path.write_text(f"#!{sys.executable}\n{program}\n")
    path.chmod(0o700)
    return str(path)


def convert() -> None:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        apart.convert(source, target, "ab" * 32, size_bytes=1)


SAID = {
    "a refusal": (
        """print('{"expected": "x", "found": "a' + chr(92) + 'u0000b"}')""",
        "expected x, found a b",
    ),
    "a signal": ("import os; os.kill(os.getpid(), 9)", r"ended the converter \(SIGKILL\)"),
    "nonsense": ("print('[1]'); raise SystemExit(7)", r"ended the converter \(status 7\)"),
    "far too much": ("print('x' * (1 << 22))", "ended the converter"),
}


@pytest.mark.parametrize(("program", "message"), SAID.values(), ids=SAID)
def test_what_it_says_is_read_to_a_limit(
    tmp_path: Path, settings: Settings, program: str, message: str
) -> None:
    settings.CONVERTER = converter(tmp_path, program)
    with pytest.raises(Refused, match=message):
        convert()


def test_it_is_ended_after_its_time(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "LEAST_SECONDS", 0.1)
    settings.CONVERTER = converter(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(Refused, match="SIGKILL"):
        convert()


@pytest.mark.parametrize(
    ("program", "message"),
    [(UNCONFINED, "shuts a converter in, .*: no Landlock"), ("import nothing", "expected torch")],
    ids=["not shut in", "no torch"],
)
def test_where_it_cannot_be_had_nothing_is_converted(
    tmp_path: Path, settings: Settings, program: str, message: str
) -> None:
    settings.CONVERTER = converter(tmp_path, program)
    with pytest.raises(ImportsUnavailable, match=message):
        convert()

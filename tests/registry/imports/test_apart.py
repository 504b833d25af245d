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
from registry.imports.errors import ConverterFailed, ImportsUnavailable

CONFINED = """print('{"confined": true}', flush=True)\n"""


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
    "an error": ("raise ValueError", r"ended the converter \(status 1\)"),
    "nonsense": ("print('[1]'); raise SystemExit(7)", r"ended the converter \(status 7\)"),
    "far too much": ("print('x' * (1 << 22))", "ended the converter"),
    "that it was not shut in": ("""print('{"unconfined": "x"}')""", "ended the converter"),
}


@pytest.mark.parametrize(("program", "message"), SAID.values(), ids=SAID)
def test_what_it_says_is_read_to_a_limit(
    tmp_path: Path, settings: Settings, program: str, message: str
) -> None:
    settings.CONVERTER = converter(tmp_path, CONFINED + program)
    with pytest.raises(Refused, match=message):
        convert()


def test_where_it_cannot_be_shut_in_nothing_is_converted(
    tmp_path: Path, settings: Settings
) -> None:
    settings.CONVERTER = converter(tmp_path, """print('{"unconfined": "no Landlock"}')""")
    with pytest.raises(ImportsUnavailable, match=r"shuts a converter in, .*: no Landlock"):
        convert()


OURS = {
    "no torch": ("import nothing", r"expected torch .* before it began \(status 1\)"),
    "no memory": ("import os; os.abort()", r"before it began \(SIGABRT\)"),
    "no room": (CONFINED + """print('{"unwritten": "no space"}')""", "a disk .*, found no space"),
}


@pytest.mark.parametrize(("program", "message"), OURS.values(), ids=OURS)
def test_what_is_no_fault_of_the_files_is_told_apart(
    tmp_path: Path, settings: Settings, program: str, message: str
) -> None:
    settings.CONVERTER = converter(tmp_path, program)
    with pytest.raises(ConverterFailed, match=message):
        convert()


def test_it_is_ended_after_its_time(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "LEAST_SECONDS", 0.1)
    # The program that is to be ended: it sleeps, and nobody waits for it.
    settings.CONVERTER = converter(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(ConverterFailed, match="SIGKILL"):
        convert()

# SPDX-License-Identifier: Apache-2.0
"""Tests repeat where they are thorough and unmeasured; what takes long runs where it was named.

What takes longest is begun first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import slow
from tests.house.gates import MEASURED, REPEATED, ROOT

SAYING = """
import os
from tests.thorough import essential, points, repeated, slow, thorough

def says(what):
    with open(os.environ["RAN"], "a") as ran:
        ran.write(f"{what} ")
"""
FILES = {
    "tests/test_scratch.py": """
def test_a():
    says("always")

@repeated
def test_b():
    says(len(points(range(9), few=3)))

@thorough
def test_c():
    says("marked")

@slow
def test_f():
    says("slow")
""",
    "tests/crash/test_scratch_too.py": """
def test_d():
    says("in-a-folder")

@essential
def test_e():
    says("essential")
""",
    "pytest.ini": """
[pytest]
addopts = -p tests.thorough --import-mode=importlib
testpaths = tests
markers =
    repeated
    thorough
    slow
    essential
""",
}
THOROUGH = {"ASSAY_TEST_THOROUGH": "1"}
COVERAGE = ("coverage", "run", f"--rcfile={ROOT / 'pyproject.toml'}", "-m")


@pytest.mark.parametrize(
    ("before", "after", "environment", "expected"),
    [
        ((), (), {}, "essential always 3"),
        ((), ("tests",), {}, "in-a-folder essential always 3 marked slow"),
        ((), (), THOROUGH, "in-a-folder essential always 9 marked slow"),
        (COVERAGE, MEASURED.command[-2:], THOROUGH, "essential always 3 slow"),
        ((), REPEATED.command[-2:], THOROUGH, "in-a-folder 9 marked"),
    ],
    ids=["plain", "named", "thorough", "measured", "again"],
)
def test_each_run_has_its_tests_and_its_points(
    tmp_path: Path,
    before: tuple[str, ...],
    after: tuple[str, ...],
    environment: dict[str, str],
    expected: str,
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SAYING + text if name.endswith(".py") else text)
    kept = {each: os.environ[each] for each in ("HOME", "PATH", "TMPDIR") if each in os.environ}
    ours = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "RAN": str(tmp_path / "ran")}
    # In a process of its own, as the tests of `./run test` are: coverage has to reach it there.
    quiet = ("-q", "-rs", "-n1", "-p", "no:cacheprovider", "-p", "no:django", "-p", "no:randomly")
    done = subprocess.run(
        [sys.executable, "-m", *before, "pytest", *quiet, *after],
        cwd=tmp_path,
        env={**kept, **ours, "COVERAGE_FILE": str(tmp_path / "data"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "ran").read_text().split() == expected.split()
    is_left_out = "takes long: run by .ci/run" in done.stdout
    assert is_left_out == (expected == "essential always 3")


def test_each_slow_file_is_there() -> None:
    assert [name for name in slow.FILES if not (ROOT / name).is_file()] == []

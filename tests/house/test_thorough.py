# SPDX-License-Identifier: Apache-2.0
"""Tests repeat where they are thorough and unmeasured, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.gates import MEASURED, REPEATED, ROOT

SCRATCH = """
from pathlib import Path
from tests.thorough import points, repeated, thorough

def says(what):
    with Path(__file__).with_name("ran").open("a") as ran:
        ran.write(f"{what} ")

def test_a():
    says("always")

@repeated
def test_b():
    says(len(points(range(9), few=3)))

@thorough
def test_c():
    says("only-then")
"""
MARKERS = "markers=repeated\nthorough"
COVERAGE = ("coverage", "run", "--parallel-mode", "-m")


@pytest.mark.parametrize(
    ("before", "after", "environment", "expected"),
    [
        ((), (), {}, ["always", "3"]),
        ((), (), {"ASSAY_TEST_THOROUGH": "1"}, ["always", "9", "only-then"]),
        (COVERAGE, MEASURED.command[-2:], {"ASSAY_TEST_THOROUGH": "1"}, ["always", "3"]),
        ((), REPEATED.command[-2:], {"ASSAY_TEST_THOROUGH": "1"}, ["9", "only-then"]),
    ],
    ids=["plain", "thorough", "measured", "again"],
)
def test_each_run_has_its_points(
    tmp_path: Path,
    before: tuple[str, ...],
    after: tuple[str, ...],
    environment: dict[str, str],
    expected: list[str],
) -> None:
    (tmp_path / "test_scratch.py").write_text(SCRATCH)
    kept = {each: os.environ[each] for each in ("HOME", "PATH", "TMPDIR") if each in os.environ}
    words = ("-p", "tests.thorough", "-c", os.devnull, "-o", MARKERS, "--rootdir", tmp_path)
    # In a process of its own, as the tests of `./run test` are: coverage has to reach it there.
    quiet = ("-q", "-rs", "-n1", "-p", "no:cacheprovider", "-p", "no:django", "-p", "no:randomly")
    done = subprocess.run(
        [sys.executable, "-m", *before, "pytest", *words, *quiet, *after, tmp_path],
        cwd=ROOT,
        env={**kept, "COVERAGE_FILE": str(tmp_path / "data"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "ran").read_text().split() == expected
    assert ("takes long: run by .ci/run" in done.stdout) == (
        expected == ["always", "3"] and not after
    )

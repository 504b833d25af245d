# SPDX-License-Identifier: Apache-2.0
"""A test that lacks a program is skipped, and fails where nothing may be hidden."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests import needing

from .sources import ROOT, in_python, name

NOT_FOR_A_TEST = {"fonts-dejavu-core"}  # what Chromium writes with
SKIPS = re.compile(r"pytest\.skip\(|skipif\((?!sys\.)|importorskip\(")
# The first is the one place; in the second what takes long is left out, which is no lack.
MAY_SKIP = {"tests/needing.py", "tests/thorough.py", "tests/house/test_needing.py"}
SCRATCH = """
from tests.needing import forbidden, needs, require

@needs("strace")
def test_marked(): ...
def test_asking(): require("strace")
@needs("mlflow", "strace")
def test_of_an_environment(): ...
def test_forbidden(): forbidden("the kernel says no")
@needs("sh-that-is-there")
def test_with_what_it_needs(): ...
"""
INSTALL = "strace is absent: apt-get install strace"
MAKE = "mlflow is absent: ./run test makes it"


def outcome(folder: Path, **environment: str) -> tuple[dict[str, int], str]:
    """How many of the scratch tests ended how, on a machine that has one program and no other."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "strict").touch()
    (folder / "test_scratch.py").write_text(SCRATCH)
    (folder / "conftest.py").write_text(
        "from pathlib import Path\n"
        "from tests import needing\n"
        f"needing.ROOT = Path({str(folder)!r})\n"
        f"needing.MADE['sh-that-is-there'] = Path({str(programs)!r})\n"
    )
    words = ("-p", "tests.needing", "-c", os.devnull, "-o", "markers=needs", "--rootdir", folder)
    quiet = ("-q", "-rsf", "-n0", "-p", "no:cacheprovider", "-p", "no:django", "--tb=line")
    kept = {each: os.environ[each] for each in ("HOME", "TMPDIR") if each in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *quiet, folder],
        cwd=ROOT,
        env={**kept, "PATH": str(programs), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"(\d+) (passed|failed|skipped|errors)", done.stdout.splitlines()[-1])
    return {how: int(count) for count, how in found}, done.stdout


def test_without_a_program_it_is_skipped_with_a_reason(tmp_path: Path) -> None:
    counts, said = outcome(tmp_path)
    assert counts == {"passed": 1, "skipped": 4}
    assert INSTALL in said
    assert MAKE in said
    assert "not allowed here: the kernel says no" in said


def test_where_nothing_may_be_hidden_it_fails_and_names_the_package(tmp_path: Path) -> None:
    counts, said = outcome(tmp_path, ASSAY_TEST_THOROUGH="1")
    assert counts == {"passed": 1, "failed": 1, "errors": 2, "skipped": 1}
    assert INSTALL in said
    assert MAKE in said
    assert "not allowed here: the kernel says no" in said


def test_ci_installs_every_program_that_a_test_needs() -> None:
    (words,) = re.findall(r"packages=\((.*?)\)", (ROOT / ".ci" / "run").read_text(), re.DOTALL)
    assert set(words.split()) - NOT_FOR_A_TEST == set(needing.PACKAGES.values())


def test_every_name_that_a_test_needs_is_known() -> None:
    locks = {path.stem for path in (ROOT / "requirements").glob("*.in")} - {"base"}
    known = {*needing.PACKAGES, *needing.MADE, *locks}
    asked = re.compile(r'(?:\bneeds|\brequire)\(((?:"[\w.-]+"(?:, )?)+)\)')
    found = {
        word.strip('" ')
        for path in in_python()
        if name(path) not in MAY_SKIP
        for words in asked.findall(path.read_text(encoding="utf-8"))
        for word in words.split(",")
    }
    assert found
    assert found <= known


def test_no_test_skips_by_itself() -> None:
    """But for what the system or the interpreter is: there is nothing to install."""
    tests = [path for path in in_python() if name(path).startswith("tests/")]
    found = {name(path) for path in tests if SKIPS.search(path.read_text(encoding="utf-8"))}
    assert found <= MAY_SKIP

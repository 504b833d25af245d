# SPDX-License-Identifier: Apache-2.0
"""Many files are judged on every core, and nothing that is said tells it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assay.signing.commands import many
from tests.signing.commands.desk import Desk
from tests.signing.world import TEXT

VERIFY = ("verify", "--as-of", "2026-11-20T09:30:00Z")  # to the second, what is said names it
TIMES = many.FROM // 3 + 1
DYING = "import os; os.register_at_fork(after_in_child=lambda: os._exit(1))\n"
START = "import sys\nfrom assay.signing.commands import main\nsys.exit(main(sys.argv[1:]))"


@pytest.fixture
def three(desk: Desk) -> list[Path]:
    """One that verifies, one with another text, and one that is not there."""
    desk.pin()
    good = desk.answer(TEXT).rename(desk.folder / "good.json")
    return [good, desk.answer("another"), desk.folder / "nothing"]


def test_each_is_said_in_its_order_as_it_is_of_few(desk: Desk, three: list[Path]) -> None:
    code, of_few, err = desk.assay(*VERIFY, *three)
    assert (code, err) == (21, "")
    assert desk.assay(*VERIFY, *three * TIMES) == (21, of_few * TIMES, "")


def test_so_are_the_lines_of_many(desk: Desk, three: list[Path]) -> None:
    _, of_few, _ = desk.assay(*VERIFY, *three, "--brief")
    *lines, counted = of_few.splitlines()
    assert counted == "1 of 3 verified."
    code, of_many, _ = desk.assay(*VERIFY, *three * TIMES, "--brief")
    assert (code, of_many.splitlines()[:-1]) == (21, lines * TIMES)


def test_the_document_of_many_is_that_of_few(desk: Desk, three: list[Path]) -> None:
    _, of_few, _ = desk.assay(*VERIFY, *three, "--json")
    code, of_many, _ = desk.assay(*VERIFY, *three * TIMES, "--json")
    found = json.loads(of_few)
    assert of_few == json.dumps(found, indent=2) + "\n"
    expected = {"verified": False, "artifacts": found["artifacts"] * TIMES}
    assert (code, of_many) == (21, json.dumps(expected, indent=2) + "\n")


def test_cautions_are_said_of_each(desk: Desk, three: list[Path]) -> None:
    words = ("--accept-unknown-revocation", "--as-of", "2126-11-20T09:30:00Z")
    good = three[0]
    code, _, err = desk.assay("verify", good, *words)
    assert (code, err.count("You accepted not to know")) == (0, 1)
    code, _, err = desk.assay("verify", *[good] * many.FROM, *words)
    assert (code, err.count("You accepted not to know")) == (0, many.FROM)


def test_where_processes_end_this_one_judges_the_rest(desk: Desk, three: list[Path]) -> None:
    _, of_few, _ = desk.assay(*VERIFY, *three)
    paths = [str(path) for path in three * TIMES]
    for before in ("", DYING):
        command = [sys.executable, "-c", before + START, *VERIFY, *paths]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)
        assert (done.returncode, done.stderr) == (21, b"")
        assert done.stdout.decode() == of_few * TIMES


def test_a_pack_of_many_is_made_in_one_process(desk: Desk, three: list[Path]) -> None:
    packed = desk.folder / "many.assay-pack"
    code, _, err = desk.assay("verify", *[three[0]] * many.FROM, "--pack", packed)
    assert (code, packed.exists(), "Wrote" in err) == (0, True, True)

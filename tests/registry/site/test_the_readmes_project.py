# SPDX-License-Identifier: Apache-2.0
"""What the README says at the registry works: the project to publish to, and a run on own text."""

from __future__ import annotations

import shlex
from pathlib import Path

from django.core.management import call_command
from django.test import Client

from registry.pool import queries as pool
from tests.house.generated import README
from tests.registry.site.world import Shown


def lines(title: str) -> list[str]:
    """The commands under a title, in order."""
    _, _, section = README.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    own, _, _ = section.partition("\n## ")
    return [line.strip() for line in own.splitlines() if line.startswith("    ")]


def test_the_line_before_publishing_makes_the_project(shown: Shown) -> None:
    assert Client().get("/alice/mine").status_code == 404
    words = [line.split()[:2] for line in lines("Publish your own")]
    assert words.index(["./run", "project"]) < words.index(["assay", "publish"])
    said = next(line for line in lines("Publish your own") if line.startswith("./run "))
    run(said.replace("OWNER/PROJECT", "alice/mine").replace("NAME", "alice"))
    assert Client().get("/alice/mine").status_code == 200


def test_the_lines_for_text_of_ones_own_open_a_run(shown: Shown, tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.txt").write_text(f"Dear reader {number}, " * 40)
    given = {"FOLDER": str(tmp_path), "NAME": "letters", "TITLE": "T", "WHENCE": "W", "SPDX": "MIT"}
    # There the demonstration's names, here those of this test's lab.
    given |= {"commons": "lab", "--by demo": "--by bob"}
    said = "\n".join(line for line in lines("Train on your own text") if line[:6] == "./run ")
    for word, own in given.items():
        said = said.replace(word, own)
    for line in said.splitlines():
        run(line)
    opened = pool.newest_run()
    assert opened is not None
    assert (opened.project.full_name, str(opened.dataset)) == ("lab/letters", "lab/letters")


def run(line: str) -> None:
    """What `./run` would."""
    call_command(*shlex.split(line, comments=True)[1:])

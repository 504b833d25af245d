# SPDX-License-Identifier: Apache-2.0
"""What the README says before `assay publish` makes the project that it publishes to."""

from __future__ import annotations

import shlex

from django.core.management import call_command
from django.test import Client

from tests.house.generated import README
from tests.registry.site.world import Shown


def lines() -> list[str]:
    """The commands under "Publish your own", in order."""
    _, _, section = README.read_text(encoding="utf-8").partition("\n## Publish your own\n")
    own, _, _ = section.partition("\n## ")
    return [line.strip() for line in own.splitlines() if line.startswith("    ")]


def test_the_line_before_publishing_makes_the_project(shown: Shown) -> None:
    assert Client().get("/alice/mine").status_code == 404
    words = [line.split()[:2] for line in lines()]
    assert words.index(["./run", "project"]) < words.index(["assay", "publish"])
    said = next(line for line in lines() if line.startswith("./run "))
    given = said.replace("OWNER/PROJECT", "alice/mine").replace("NAME", "alice")
    call_command(*shlex.split(given, comments=True)[1:])
    assert Client().get("/alice/mine").status_code == 200

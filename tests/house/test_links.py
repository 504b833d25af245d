# SPDX-License-Identifier: Apache-2.0
"""What documents link to is there, and the architecture names each specification once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .sources import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
DOCUMENTS = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))


def links(path: Path) -> list[str]:
    text = CODE.sub("", path.read_text(encoding="utf-8"))
    return [link for link in LINK.findall(text) if "://" not in link]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_links_to_is_there(path: Path) -> None:
    assert [link for link in links(path) if not (path.parent / link).exists()] == []


def test_the_architecture_names_each_specification_once() -> None:
    specifications = sorted(path.name for path in ROOT.glob("docs/spec/*.md"))
    (line,) = (
        line
        for line in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
        if line.endswith(": what goes on the wire.")
    )
    assert [Path(link).name for link in LINK.findall(line)] == specifications

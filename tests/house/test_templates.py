# SPDX-License-Identifier: Apache-2.0
"""No inline script, style or handler: the content security policy would refuse it."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from .sources import ROOT

TEMPLATES = sorted((ROOT / "frontend" / "templates").rglob("*.html"))
TEMPLATE_TAG = re.compile(r"\{[%{#].*?[%}#]\}", re.DOTALL)


class Finder(HTMLParser):
    """Notes what a strict content security policy refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        data = given.get("type") in {"application/json", "application/ld+json"}
        if tag == "style" or (tag == "script" and "src" not in given and not data):
            self.found.append(f"<{tag}>")
        self.found += [key for key in given if key == "style" or key.startswith("on")]
        links = (given.get("href") or "", given.get("src") or "", given.get("action") or "")
        self.found += [link for link in links if link.strip().lower().startswith("javascript:")]


def refused(source: str) -> list[str]:
    finder = Finder()
    finder.feed(TEMPLATE_TAG.sub("", source))
    return finder.found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_inline(path: Path) -> None:
    assert refused(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<script>x()</script>", ["<script>"]),
        ("<style>p{}</style>", ["<style>"]),
        ('<p style="color:red">', ["style"]),
        ('<p onclick="x()">', ["onclick"]),
        ('<a href="javascript:x()">', ["javascript:x()"]),
        ('<script src="/static/main.js" type="module"></script>', []),
    ],
)
def test_what_is_inline_is_seen(source: str, found: list[str]) -> None:
    assert refused(source) == found

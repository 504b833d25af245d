# SPDX-License-Identifier: Apache-2.0
"""Pages say everything through gettext: in a language whose every word is marked, all is."""

from __future__ import annotations

import ast
import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation.template import templatize
from pytest_django import Settings

from tests.house.sources import ROOT

pytestmark = pytest.mark.django_db

SAID = re.compile(r"""\bgettext\(u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\)""")
MARKED = re.compile(r"⟦[^⟦⟧]*⟧")
MAGIC = 0x950412DE  # of a file of GNU gettext's, its revision 0
HEADER = "Content-Type: text/plain; charset=UTF-8\n"
IN_PYTHON = frozenset({"gettext", "gettext_lazy", "_"})
NAMES = frozenset({"Assay", "· Assay"})


def messages() -> set[str]:
    """What templates and views ask to have translated."""
    pages = (ROOT / "frontend" / "templates").rglob("*.html")
    sources = (templatize(page.read_text(encoding="utf-8")) for page in pages)
    found = {str(ast.literal_eval(each)) for source in sources for each in SAID.findall(source)}
    for path in (ROOT / "registry").rglob("*.py"):
        found |= said_in(ast.parse(path.read_text(encoding="utf-8")))
    return found


def said_in(tree: ast.Module) -> set[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    said = [
        call.args[0]
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in IN_PYTHON
    ]
    return {str(each.value) for each in said if isinstance(each, ast.Constant)}


def write(path: Path, translations: dict[str, str]) -> None:
    """A .mo file: two tables of lengths and offsets, sorted by message, then the texts."""
    pairs = sorted((a.encode(), b.encode()) for a, b in {"": HEADER, **translations}.items())
    at = 28 + 16 * len(pairs)
    tables, texts = b"", b""
    for texts_of in zip(*pairs, strict=True):
        for text in texts_of:
            tables += struct.pack("<II", len(text), at + len(texts))
            texts += text + b"\0"
    offsets = (28, 28 + 8 * len(pairs))
    header = struct.pack("<7I", MAGIC, 0, len(pairs), *offsets, 0, 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(header + tables + texts)


class Words(HTMLParser):
    """Each text of a page that holds a letter, but for scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside not in {"script", "style"} and re.search(r"[^\W\d_]", data):
            self.found.add(data.strip())


@pytest.fixture
def marking(tmp_path: Path, settings: Settings) -> Client:
    """A reader of a language in which everything stands in brackets."""
    told = {message: f"⟦{message}⟧" for message in messages()}
    write(tmp_path / "de" / "LC_MESSAGES" / "django.mo", told)
    settings.LANGUAGES = [("en", "English"), ("de", "Marked")]
    settings.LOCALE_PATHS = [tmp_path]
    return Client(headers={"accept-language": "de"})


@pytest.mark.parametrize("url", ["/login", "/ledger", "/conduct"])
def test_everything_that_a_page_says_is_translated(marking: Client, url: str) -> None:
    text = marking.get(url).content.decode()
    assert '<html lang="de"' in text
    assert len(MARKED.findall(text)) > 10
    words = Words()
    words.feed(MARKED.sub("", text))
    assert words.found - NAMES == set()


def test_a_reader_of_no_language_that_there_is_reads_english(marking: Client) -> None:
    text = marking.get("/login", headers={"accept-language": "tlh"}).content.decode()
    assert '<html lang="en"' in text
    assert "⟦" not in text

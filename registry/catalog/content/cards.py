# SPDX-License-Identifier: Apache-2.0
"""Model cards: README.md as HTML that can do nothing but be read.

Two fences: the Markdown renderer emits no HTML of the author's, and what it emits passes a fixed
list of elements. Links lead to https or mailto only; an image becomes its alternative text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from . import described
from .formats import front_matter

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "blockquote", "code", "pre", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES: dict[str, set[str]] = {"a": {"href"}, "ol": {"start"}, "*": set()}
LINKS = ("https://", "mailto:")
LINK_RELATION = "nofollow noopener noreferrer ugc"


def read(card: str) -> dict[str, object]:
    """A card's two halves as a checkpoint keeps them; the gate has let it through."""
    return {"card_html": render(card), "front_matter": described.kept(front_matter.read(card))}


def render(markdown: str) -> SafeString:
    """HTML of a card, or a comment, in which nothing can act."""
    _, text = front_matter.split(markdown)  # that is for programs, not for readers
    html = _renderer().render(text)
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"https", "mailto"},
        link_rel=LINK_RELATION,
    )
    return SafeString(clean)


def _kept(tag: str, name: str, value: str) -> str | None:
    """nh3 passes relative links, and `//host` counts as one: only these two kinds stay."""
    if (tag, name) == ("a", "href") and not value.lower().startswith(LINKS):
        return None
    return value


def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    renderer.add_render_rule("image", _alternative)
    return renderer


def _alternative(
    self: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: object,
    env: object,
) -> str:
    """A card shows no images: none that is ours to serve, and none that would tell who reads."""
    del self, options, env
    return escape(tokens[index].content)

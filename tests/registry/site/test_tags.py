# SPDX-License-Identifier: Apache-2.0
"""Template tags: what they write, and that they escape what they are given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import engines
from django.test import RequestFactory
from django.utils import timezone

from registry.site import assets, sizes

DIGEST = "0123456789abcdef" * 4


def render(template: str, **context: object) -> str:
    text = engines["django"].from_string("{% load assay %}" + template)
    return str(text.render(context, RequestFactory().get("/projects")))


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (7_634_112, "7.6 MB"), (10**16, "10000.0 TB")],
)
def test_sizes_are_in_decimal_units(size_bytes: int, words: str) -> None:
    assert sizes.in_words(size_bytes) == words
    assert render("{{ size|size }}", size=size_bytes) == words


def test_a_digest_is_short_to_read_and_whole_to_copy() -> None:
    shown = render("{% digest digest %}", digest=DIGEST)
    assert ">sha256:012345…abcdef<" in shown
    assert f'value="sha256:{DIGEST}"' in shown


def test_a_whole_digest_is_shown_whole() -> None:
    assert f">sha256:{DIGEST}<" in render("{% digest digest whole=True %}", digest=DIGEST)


def test_a_command_is_escaped() -> None:
    assert "&lt;b&gt;" in render("{% command text %}", text="<b>")


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5, seconds=3), "5\xa0minutes ago"),
        (timedelta(days=3), "3\xa0days ago"),
    ],
)
def test_a_moment_is_said_as_people_do(ago: timedelta, words: str) -> None:
    at = timezone.now() - ago
    shown = render("{% moment at %}", at=at)
    assert words in shown
    assert at.strftime("%Y-%m-%d %H:%M:%S UTC") in shown


def test_a_moment_to_come_is_said_exactly() -> None:
    assert ">2999-01-01 00:00 UTC<" in render(
        "{% moment at %}", at=datetime(2999, 1, 1, tzinfo=UTC)
    )


def test_a_moment_that_never_was_is_a_dash() -> None:
    assert render("{% moment at %}", at=None) == "—"


def test_a_link_to_where_the_reader_is_says_so() -> None:
    assert render('{% current "/projects" %}') == ' aria-current="true"'
    assert render('{% current "/ledger" %}') == ""


def test_an_id_at_the_end_of_a_uri_is_shortened() -> None:
    uri = "host/nodes/7f1f0a52-5d0c-4a5f-9f53-1c2f60f5f4a1"
    assert render("{{ uri|short_uri }}", uri=uri) == "host/nodes/7f1f0a52…"
    assert render("{{ uri|short_uri }}", uri="host/lab") == "host/lab"


def test_json_is_shown_over_several_lines() -> None:
    assert render("{{ value|pretty }}", value={"b": 1, "a": "é"}).count("\n") == 3


def test_a_page_without_built_assets_is_plain_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "MANIFEST", "no-such-manifest.json")
    assert render("{% assets %}") == ""

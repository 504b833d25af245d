# SPDX-License-Identifier: Apache-2.0
"""What stands where: nothing breaks a word, jumps away, or hides what is newest."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.frontend.visitor import View, Visitor
from tests.registry.site.world import Shown

SAMPLES = """count => {
  const strip = document.querySelector(".samples");
  const one = strip.querySelector(".sample");
  for (let step = 2; step <= count; step += 1) {
    const next = one.cloneNode(true);
    next.querySelector("strong").textContent = `Step ${step}`;
    strip.append(next);
  }
  return strip.outerHTML;
}"""
IN_SIGHT = """() => {
  const strip = document.querySelector(".samples");
  const { left, right } = strip.getBoundingClientRect();
  return [...strip.querySelectorAll(".sample")].filter((sample) => {
    const box = sample.getBoundingClientRect();
    const corner = document.elementFromPoint(box.left + 2, box.top + 10);
    return box.left >= left - 1 && box.right <= right + 1 && sample.contains(corner);
  }).map((sample) => sample.querySelector("strong").textContent.trim());
}"""

NOTES = """count => {
  const title = document.querySelector(".columns .visually-hidden");
  for (let made = 0; made < count; made += 1) {
    const note = document.createElement("p");
    note.className = "note broken";
    note.textContent = "Revoked.";
    title.before(note);
  }
  const boxes = [...document.querySelectorAll(".columns .note"), document.querySelector(".answer")];
  return boxes.slice(1).map((box, at) =>
    box.getBoundingClientRect().top - boxes[at].getBoundingClientRect().bottom);
}"""


def many_samples(visitor: Visitor, view: View, count: int) -> Page:
    """The first page, with as many samples as a run has after a while."""
    page = visitor.open("/", view)
    strip = page.evaluate(SAMPLES, count)
    page.route("**/", lambda route: _with(route, strip))
    page.route("**/site/samples/*", lambda route: route.fulfill(body=strip))
    page.reload()
    expect(page.locator(".sample")).to_have_count(count)
    page.locator("live-samples").scroll_into_view_if_needed()
    return page


def _with(route: Route, strip: str) -> None:
    answer = route.fetch()
    text = answer.text()
    start, end = text.index('<ol class="samples"'), text.index("</live-samples>")
    route.fulfill(response=answer, body=f"{text[:start]}{strip}{text[end:]}")


def test_the_newest_samples_are_seen_beside_the_first(visitor: Visitor, shown: Shown) -> None:
    page = many_samples(visitor, View(), 12)
    first, *newest = page.evaluate(IN_SIGHT)
    assert first.startswith("Step")
    assert newest == ["Step 9", "Step 10", "Step 11", "Step 12"]


def test_the_newest_sample_is_seen_on_a_narrow_page(visitor: Visitor, shown: Shown) -> None:
    page = many_samples(visitor, View(width=390, height=844), 12)
    assert page.evaluate(IN_SIGHT)[-1] == "Step 12"


def test_opening_the_strip_does_not_move_the_page(visitor: Visitor) -> None:
    page = visitor.open("/")
    expect(page.locator("live-samples")).to_be_attached()
    assert page.evaluate("scrollY") == 0


def test_the_hero_stays_when_the_table_beside_it_opens(visitor: Visitor) -> None:
    page = visitor.open("/")
    title = page.locator(".hero h1")
    before = title.bounding_box()
    page.get_by_text("As a table").click()
    expect(page.locator("loss-chart details table")).to_be_visible()
    assert title.bounding_box() == before


def test_what_became_of_an_output_stands_apart_from_its_text(
    visitor: Visitor, shown: Shown
) -> None:
    page = visitor.open(f"/outputs/{shown.sample.pk}", View())
    gaps = page.evaluate(NOTES, 2)
    assert len(gaps) == 2
    assert all(gap >= 8 for gap in gaps), gaps  # pixels


@pytest.mark.parametrize("width", [390, 1280])
def test_names_and_sizes_of_files_are_in_one_piece(
    visitor: Visitor, shown: Shown, width: int
) -> None:
    page = visitor.open(shown.checkpoint.path, View(width=width))
    for cell in page.locator(".files tbody :is(td:first-child, td.number)").all():
        lines = cell.evaluate(
            "cell => { const range = document.createRange(); range.selectNodeContents(cell);"
            " return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size }"
        )
        assert lines == 1, cell.inner_text()
    row = page.locator(".files tbody tr").first
    name, digest = row.locator("td").first.bounding_box(), row.locator("td").last.bounding_box()
    assert name is not None
    assert digest is not None
    assert (digest["y"] > name["y"] + 5) == (width < 640)


def test_the_ledgers_list_fits_a_narrow_page(visitor: Visitor) -> None:
    page = visitor.open("/ledger", View(width=320))
    list_ = page.locator(".scroll")
    assert list_.evaluate("list => list.scrollWidth - list.clientWidth") <= 0
    assert page.get_by_role("row").count() > 10  # it is a table all the same


def test_on_paper_digests_are_whole_and_nothing_is_to_be_pressed(
    visitor: Visitor, shown: Shown
) -> None:
    page = visitor.open(shown.checkpoint.path, View(colours="dark"))
    page.emulate_media(media="print")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.locator(".masthead nav").first).to_be_hidden()
    shown_digest = page.locator(".files .digest code").first.evaluate(
        "code => getComputedStyle(code, '::before').content"
    )
    assert re.fullmatch(r'"sha256:[0-9a-f]{64}"', shown_digest)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )

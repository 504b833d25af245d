# SPDX-License-Identifier: Apache-2.0
"""A ledger that shows another history is caught by a tab that witnesses it, with both notes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from assay.signing import treehead
from tests.frontend.forging import show_another_history, shown_head
from tests.frontend.test_witness import PAGE, downloaded, field, look, witnessing
from tests.frontend.visitor import Visitor
from tests.running import Authority


def caught(page: Page) -> None:
    expect(page.get_by_role("alert")).to_contain_text("The ledger showed another history")
    expect(page).to_have_title("The ledger showed another history · Assay")


@pytest.mark.parametrize("grown", [-1, 0, 1, 250])
def test_another_history_is_caught_and_both_notes_are_kept(
    visitor: Visitor, authority: Authority, tmp_path: Path, grown: int
) -> None:
    page = witnessing(visitor)
    seen = shown_head()
    note = show_another_history(authority, seen.size + grown)
    look(page)
    caught(page)
    verifier = authority.trust_root.verifier
    first = downloaded(page, "The head seen before", tmp_path)
    assert treehead.verify(first, verifier) == seen
    second = downloaded(page, "The head that contradicts it", tmp_path)
    assert second == note
    assert treehead.verify(second, verifier).root != seen.root


def test_who_was_caught_is_looked_at_no_more(visitor: Visitor, authority: Authority) -> None:
    page = visitor.open(PAGE)
    page.locator("ledger-witness").evaluate("element => { element.dataset.every = '0.2' }")
    page.get_by_role("button", name="Witness in this tab").click()
    expect(page.locator('[data-field="heads"]')).to_have_text("1")
    show_another_history(authority, shown_head().size)
    caught(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(600)
    assert asked == []
    page.reload()
    caught(page)
    expect(page.get_by_role("button", name="Look now")).to_be_hidden()


def test_a_head_without_its_tiles_is_not_cosigned(visitor: Visitor, authority: Authority) -> None:
    page = witnessing(visitor)
    size = shown_head().size
    show_another_history(authority, size + 2, tiles_of=size + 1)
    look(page)
    status = page.locator("[data-status]")
    expect(status).to_contain_text("Nothing was cosigned: expected")
    assert field(page, "heads") == "1"
    assert [text for text in visitor.complaints if "Failed to load resource" not in text] == []
    visitor.complaints.clear()

# SPDX-License-Identifier: Apache-2.0
"""Under a signed answer stands its tree; the browser verifies it, and again at each keystroke."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import Locator, Page, expect

from assay.signing.revocation import Reason
from registry.authority import revocations
from registry.ledger import queries as ledger
from tests.frontend.visitor import View, Visitor
from tests.registry.site.world import TEXT, Shown

PARTS = ["output", "checkpoint", "run", "dataset", "conduct"]


def states(page: Page) -> list[str | None]:
    return [link.get_attribute("data-state") for link in page.locator(".link").all()]


def answered(page: Page, state: str = "intact") -> Locator:
    answer = page.locator("signed-answer")
    expect(answer).to_have_attribute("data-state", state)
    return answer


def test_every_link_is_checked_in_the_browser(visitor: Visitor) -> None:
    page = visitor.open("/")
    answered(page)
    assert [link.get_attribute("data-part") for link in page.locator(".link").all()] == PARTS
    assert states(page) == ["intact"] * 5
    counts = page.locator("[data-count]").all_inner_texts()
    assert counts == ["12/12", "15/15", "10/10", "8/8", "9/9"]


def test_one_changed_character_breaks_exactly_one_link(visitor: Visitor) -> None:
    page = visitor.open("/")
    text = answered(page).get_by_role("textbox")
    assert text.input_value() == TEXT
    text.fill(TEXT.replace("hello", "hallo"))
    answered(page, "broken")
    assert states(page) == ["broken", "intact", "intact", "intact", "intact"]
    reason = page.locator(".reason:visible")
    expect(reason).to_have_count(1)
    expect(reason).to_contain_text("This is not the text that was signed. Expected sha256:")


def saved(page: Page) -> dict[str, object]:
    with page.expect_download() as download:
        page.get_by_role("link", name="Save with its evidence").click()
    assert download.value.suggested_filename == "answer.json"
    document: dict[str, object] = json.loads(Path(download.value.path()).read_bytes())
    return document


def test_what_is_shown_is_what_is_saved(visitor: Visitor) -> None:
    page = visitor.open("/")
    text = answered(page).get_by_role("textbox")
    signed = saved(page)
    assert signed["text"] == TEXT
    changed = TEXT.replace("hello", "hallo")
    text.fill(changed)
    answered(page, "broken")
    assert saved(page) == {**signed, "text": changed}
    page.get_by_role("button", name="Restore").click()
    answered(page)
    assert saved(page) == signed


def revoke(shown: Shown) -> None:
    assert shown.sample.statement is not None
    leaf = ledger.chain(shown.sample.statement).leaf
    revocations.revoke(f"{leaf.serial_number:x}", Reason.KEY_COMPROMISE)
    connection.close()


def test_what_was_revoked_breaks_its_link(visitor: Visitor, shown: Shown) -> None:
    """No witnesses are asked for here, so nothing proves that the text is from before."""
    with ThreadPoolExecutor() as aside:  # the browser's loop is this thread's, and Django's is none
        aside.submit(revoke, shown).result()
    page = visitor.open("/")
    answered(page, "broken")
    assert states(page) == ["broken", "intact", "intact", "intact", "intact"]
    expect(page.locator(".reason:visible")).to_contain_text("is revoked (key-compromise)")


def test_the_signed_text_can_be_brought_back(visitor: Visitor) -> None:
    page = visitor.open("/")
    text = answered(page).get_by_role("textbox")
    text.press_sequentially("x")
    answered(page, "broken")
    page.get_by_role("button", name="Restore").click()
    answered(page)
    assert text.input_value() == TEXT
    expect(page.get_by_role("button", name="Restore")).to_be_hidden()


def test_what_copying_changes_breaks_nothing(visitor: Visitor) -> None:
    page = visitor.open("/")
    answered(page).get_by_role("textbox").fill(TEXT.replace("\n", "  \n").rstrip())
    page.locator("[data-steps] summary").first.click()
    expect(page.locator(".link").first).to_contain_text("same after normalising")
    assert states(page) == ["intact"] * 5


def test_a_checkpoint_has_a_tree_without_a_text(visitor: Visitor, shown: Shown) -> None:
    page = visitor.open(shown.checkpoint.path)
    answered(page)
    assert states(page) == ["intact"] * 4
    expect(page.locator("signed-answer textarea")).to_have_count(0)


@pytest.mark.parametrize("missing", ["**/api/v1/outputs/*", "**/.well-known/assay/trust-root.json"])
@pytest.mark.parametrize("is_cut", [True, False])
def test_evidence_that_does_not_come_is_said_so(
    visitor: Visitor, missing: str, *, is_cut: bool
) -> None:
    page = visitor.open("/projects")
    page.route(missing, lambda route: route.abort() if is_cut else route.fulfill(status=500))
    page.goto(visitor.url)
    status = page.locator("signed-answer [data-status]")
    expect(status).to_contain_text("could not be fetched, so nothing was checked")
    assert states(page) == ["recorded"] * 5
    # Chromium names the request that failed; an error of the page itself would be another.
    assert [text for text in visitor.complaints if "Failed to load resource" not in text] == []
    visitor.complaints.clear()


BROKEN = "crypto.subtle.digest = () => { throw new TypeError('a fault of our own'); };"


def test_a_fault_of_our_own_is_no_verdict_and_is_said(visitor: Visitor) -> None:
    page = visitor.open("/projects")
    page.add_init_script(BROKEN)
    page.goto(visitor.url)
    answered(page, "unjudged")
    status = page.locator("signed-answer [data-status]")
    expect(status).to_contain_text("This could not be judged here")
    assert states(page) == ["recorded"] * 5
    assert any("a fault of our own" in text for text in visitor.complaints)
    visitor.complaints.clear()


def test_a_fault_at_a_keystroke_takes_the_verdict_back(visitor: Visitor) -> None:
    page = visitor.open("/")
    text = answered(page).get_by_role("textbox")
    page.evaluate(f"() => {{ {BROKEN} }}")
    text.press_sequentially("x")
    answered(page, "unjudged")
    assert states(page) == ["recorded"] * 5
    assert any("a fault of our own" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_without_scripts_the_tree_says_what_is_recorded(visitor: Visitor) -> None:
    page = visitor.open("/", View(has_scripts=False))
    assert states(page) == ["recorded"] * 5
    expect(page.locator("signed-answer pre").first).to_have_text(TEXT)


def test_no_request_leaves_for_anywhere_else(visitor: Visitor) -> None:
    page = visitor.open("/projects")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(visitor.url)
    answered(page)
    assert asked
    assert all(url.startswith((visitor.url, "data:")) for url in asked)

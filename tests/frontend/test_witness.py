# SPDX-License-Identifier: Apache-2.0
"""A browser's tab witnesses the ledger: it cosigns what continues, and remembers what it saw."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from assay.signing import cosignatures, treehead
from assay.signing.cosignatures import Witness
from registry.ledger import folder
from tests.frontend.forging import grow, shown_head
from tests.frontend.visitor import View, Visitor
from tests.running import Authority

PAGE = "/ledger/witness"
KEY_OF = """() => new Promise((resolve) => {
  const request = indexedDB.open("assay-witness");
  request.onsuccess = () => {
    const store = request.result.transaction("witnesses").objectStore("witnesses");
    store.getAll().onsuccess = (event) => {
      const [{ key, account }] = event.target.result;
      resolve({ type: key.type, extractable: key.extractable, heads: account.heads });
    };
  };
})"""
REFUSE = "() => { %s = () => { throw new DOMException('', '%s') } }"
NO_KEYS = REFUSE % ("crypto.subtle.generateKey", "NotSupportedError")
ODD_LOCKS = "() => { navigator.locks.request = () => Promise.reject(new Error('odd')) }"
FULL_DISK = REFUSE % ("IDBObjectStore.prototype.put", "QuotaExceededError")


def witnessing(visitor: Visitor) -> Page:
    page = visitor.open(PAGE)
    page.get_by_role("button", name="Witness in this tab").click()
    expect(page.locator("[data-status]")).to_contain_text("is the beginning of the next")
    return page


def look(page: Page) -> None:
    page.get_by_role("button", name="Look now").click()


def field(page: Page, name: str) -> str:
    return page.locator(f'[data-field="{name}"]').inner_text()


def downloaded(page: Page, link: str, folder: Path) -> str:
    with page.expect_download() as started:
        page.get_by_role("link", name=link).click()
    started.value.save_as(folder / "note")
    return (folder / "note").read_text("utf-8")


def test_what_a_tab_cosigned_verifies_elsewhere(
    visitor: Visitor, authority: Authority, tmp_path: Path
) -> None:
    page = witnessing(visitor)
    note = downloaded(page, "Download the cosigned note", tmp_path)
    assert treehead.verify(note, authority.trust_root.verifier) == shown_head()
    witness = Witness.parse(field(page, "witness"))
    assert cosignatures.verify(note, witness) is not None
    assert (field(page, "ledger"), field(page, "heads")) == (authority.trust_root.verifier, "1")
    assert (field(page, "size"), field(page, "root")) == (
        str(shown_head().size),
        shown_head().root.hex(),
    )


def test_it_follows_a_ledger_that_grows(visitor: Visitor) -> None:
    page = witnessing(visitor)
    head = grow()
    look(page)
    expect(page.locator('[data-field="heads"]')).to_have_text("2")
    assert (field(page, "size"), field(page, "root")) == (str(head.size), head.root.hex())


def test_it_looks_by_itself_while_it_is_open(visitor: Visitor) -> None:
    page = visitor.open(PAGE)
    page.locator("ledger-witness").evaluate("element => { element.dataset.every = '0.2' }")
    page.get_by_role("button", name="Witness in this tab").click()
    expect(page.locator('[data-field="heads"]')).to_have_text("1")
    grow()
    expect(page.locator('[data-field="heads"]')).to_have_text("2")
    page.get_by_role("button", name="Stop").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(600)
    assert asked == []


def test_it_remembers_and_goes_on_with_the_same_key(visitor: Visitor) -> None:
    page = witnessing(visitor)
    before = field(page, "witness")
    grow()
    page.reload()
    expect(page.locator('[data-field="heads"]')).to_have_text("2")
    assert field(page, "witness") == before


def test_no_script_can_read_its_key(visitor: Visitor) -> None:
    page = witnessing(visitor)
    kept = page.evaluate(KEY_OF)
    assert kept == {"type": "private", "extractable": False, "heads": 1}


def test_two_tabs_are_one_witness(visitor: Visitor) -> None:
    page = witnessing(visitor)
    other = page.context.new_page()
    other.goto(visitor.url + PAGE)
    expect(other.locator("[data-status]")).to_contain_text("is the beginning of the next")
    grow()
    look(page)
    look(other)
    for tab in (page, other):
        expect(tab.locator('[data-field="heads"]')).to_have_text("2")
    assert field(page, "witness") == field(other, "witness")


def test_what_cannot_be_kept_is_not_shown(visitor: Visitor) -> None:
    page = witnessing(visitor)
    page.evaluate(FULL_DISK)
    grow()
    look(page)
    expect(page.locator("[data-status]")).to_contain_text("Nothing was cosigned: this browser's")
    assert field(page, "heads") == "1"
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()


def test_a_ledger_that_is_away_is_waited_for(visitor: Visitor) -> None:
    page = witnessing(visitor)
    page.route("**/ledger/checkpoint", lambda route: route.abort())
    look(page)
    expect(page.locator("[data-status]")).to_contain_text("The ledger does not answer")
    page.unroute("**/ledger/checkpoint")
    look(page)
    expect(page.locator("[data-status]")).to_contain_text("is the beginning of the next")
    assert [text for text in visitor.complaints if "Failed to load resource" not in text] == []
    visitor.complaints.clear()


def test_an_older_head_is_no_accusation_and_is_looked_at_again(visitor: Visitor) -> None:
    page = witnessing(visitor)
    older = folder.read(folder.CHECKPOINT)
    grow()
    look(page)
    expect(page.locator('[data-field="heads"]')).to_have_text("2")
    page.route("**/ledger/checkpoint", lambda route: route.fulfill(body=older))
    look(page)
    expect(page.locator("[data-status]")).to_contain_text("The ledger shows an older head")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.unroute("**/ledger/checkpoint")
    grow(b"and another")
    look(page)
    expect(page.locator('[data-field="heads"]')).to_have_text("3")


def test_what_nobody_thought_of_is_said_and_the_tab_goes_on(visitor: Visitor) -> None:
    page = visitor.open(PAGE)
    page.locator("ledger-witness").evaluate("element => { element.dataset.every = '0.2' }")
    page.get_by_role("button", name="Witness in this tab").click()
    expect(page.locator('[data-field="heads"]')).to_have_text("1")
    page.evaluate(ODD_LOCKS)
    expect(page.locator("[data-status]")).to_contain_text("Nothing was cosigned: odd")
    page.evaluate("() => { delete navigator.locks.request }")
    expect(page.locator("[data-status]")).to_contain_text("is the beginning of the next")
    assert all("odd" in text for text in visitor.complaints)
    visitor.complaints.clear()


def test_whoever_starts_over_is_another_witness(visitor: Visitor) -> None:
    page = witnessing(visitor)
    before = field(page, "witness")
    page.get_by_text("Start over").click()
    page.get_by_role("button", name="Forget this witness").click()
    page.get_by_role("button", name="Witness in this tab").click()
    expect(page.locator('[data-field="heads"]')).to_have_text("1")
    assert field(page, "witness") != before


def test_a_browser_without_such_keys_is_told_so(visitor: Visitor) -> None:
    page = visitor.open(PAGE)
    page.evaluate(NO_KEYS)
    page.get_by_role("button", name="Witness in this tab").click()
    expect(page.get_by_text("This browser cannot be a witness")).to_be_visible()
    expect(page.get_by_role("button", name="Witness in this tab")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 1280])
def test_without_scripts_the_page_names_a_program(visitor: Visitor, width: int) -> None:
    page = visitor.open(PAGE, View(has_scripts=False, width=width))
    expect(page.get_by_text("needs a script, which does not run here")).to_be_visible()
    expect(page.get_by_role("button", name="Witness in this tab")).to_be_hidden()
    expect(page.get_by_text("assay monitor http")).to_be_visible()

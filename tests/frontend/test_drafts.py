# SPDX-License-Identifier: Apache-2.0
"""The next version of a policy is written, proposed and published in a browser without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from registry.accounts import services as accounts
from tests.frontend.signing_in import cookies_of
from tests.frontend.visitor import View, Visitor
from tests.registry.site.world import Shown

POLICY = "/conduct/community-language-models"


@pytest.fixture
def staff(shown: Shown) -> tuple[dict[str, str], dict[str, str]]:
    """Two who run the registry, signed in before the browser starts."""
    dora, emil = (accounts.create_user(name, is_staff=True) for name in ("dora", "emil"))
    return cookies_of(dora), cookies_of(emil)


def test_a_version_is_written_proposed_and_published(
    staff: tuple[dict[str, str], dict[str, str]], visitor: Visitor
) -> None:
    visitor.cookies = staff[0]
    page = visitor.open(POLICY, View(has_scripts=False))
    page.get_by_role("link", name="Write the next version").click()
    page.get_by_role("button", name="Begin with version 1.0").click()
    page.get_by_role("link", name="Add a clause").click()
    page.get_by_label("Identifier").fill("coc:9.1")
    page.get_by_label("Title").fill("Quiet")
    page.get_by_label("Text").fill("No fans after ten.")
    page.get_by_label("What rule 1 says").select_option("Forbids: training on its outputs")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="See what changes").click()
    expect(page.get_by_text("expected the clauses of the version before")).to_be_visible()
    page.get_by_role("link", name="draft", exact=True).click()
    page.get_by_label("Material: it is accepted anew").check()
    page.get_by_label("Version").fill("2.0")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="See what changes").click()
    expect(page.locator("ins", has_text="No fans after ten.")).to_be_visible()
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_text("You proposed this.")).to_be_visible()
    expect(page.get_by_role("button", name="Publish it", exact=True)).to_have_count(0)

    visitor.cookies = staff[1]
    page = visitor.open(f"{POLICY}/edit/preview", View(has_scripts=False))
    page.get_by_label("You have read it").fill("2.0")
    page.get_by_role("button", name="Publish it", exact=True).click()
    expect(page.get_by_text("It is published: signed, and in the ledger.")).to_be_visible()
    expect(page.get_by_role("heading", name="coc:9.1 Quiet")).to_be_visible()

# SPDX-License-Identifier: Apache-2.0
"""Withdrawing an acceptance asks before it does, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.frontend.signing_in import cookies_of
from tests.frontend.visitor import View, Visitor
from tests.registry.site.world import Shown


@pytest.fixture
def charlie_is_signed_in(shown: Shown) -> dict[str, str]:
    """Before the browser starts."""
    return cookies_of(shown.lab.people.charlie)


@pytest.fixture
def rules(shown: Shown) -> str:
    """Where they stand."""
    return shown.lab.version.path


@pytest.mark.parametrize("has_scripts", [True, False])
def test_withdrawing_asks_first(
    charlie_is_signed_in: dict[str, str], rules: str, visitor: Visitor, *, has_scripts: bool
) -> None:
    visitor.cookies = charlie_is_signed_in
    page = visitor.open(rules, View(has_scripts=has_scripts))
    page.get_by_label("You have read it").fill("1.1")
    page.get_by_role("button", name="Accept for charlie").click()
    expect(page.get_by_text("Expected 1.0: nothing was accepted.")).to_be_visible()
    page.get_by_label("You have read it").fill("1.0")
    page.get_by_role("button", name="Accept for charlie").click()
    certain = page.get_by_role("button", name="Yes, withdraw for charlie")
    expect(certain).to_be_hidden()
    page.get_by_text("Withdraw", exact=True).click()
    expect(page.get_by_text("From then on nothing is signed for charlie")).to_be_visible()
    certain.click()
    expect(page.get_by_role("button", name="Accept for charlie")).to_be_visible()


def test_what_is_on_record_opens_with_a_click(
    charlie_is_signed_in: dict[str, str], rules: str, visitor: Visitor
) -> None:
    visitor.cookies = charlie_is_signed_in
    page = visitor.open(rules)
    page.get_by_label("You have read it").fill("1.0")
    page.get_by_role("button", name="Accept for charlie").click()
    page.goto(f"{visitor.url}/settings/conduct")
    expect(page.get_by_text("Salt", exact=True)).to_be_hidden()
    page.get_by_text("On record", exact=True).click()
    expect(page.get_by_text("Salt", exact=True)).to_be_visible()

# SPDX-License-Identifier: Apache-2.0
"""What moves on the first page: the loss, the samples, the answer; and the same without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from registry.catalog import services as catalog
from registry.pool import services as pool
from tests.elsewhere import elsewhere
from tests.frontend.signing_in import cookies_of
from tests.frontend.visitor import View, Visitor
from tests.registry.pool.world import active_lease, submission
from tests.registry.site.world import Shown, answer_next

POINT = {"step": 21, "bytes_seen": 1, "train": "2.5", "validation": "1.75", "seconds": "1"}
PUBLIC_URL = "http://localhost:8000"
# A second between two questions is none in this page.
HASTE = """
const later = window.setTimeout;
window.setTimeout = (act, ms) => later(act, ms === 1000 ? 0 : ms);
"""
ANSWER = "hello():\n    return 1\n"


@pytest.fixture
def alice_is_signed_in(shown: Shown) -> dict[str, str]:
    """Before the browser starts."""
    return cookies_of(shown.lab.people.alice)


def test_the_loss_falls_while_one_looks(visitor: Visitor, shown: Shown) -> None:
    page = visitor.open("/")
    expect(page.locator("loss-chart canvas")).to_be_visible()
    elsewhere(lambda: _report(shown))
    expect(page.locator("[data-loss]")).to_have_text("1.75")
    expect(page.locator("[data-step]")).to_have_text("21")


def test_a_new_sample_appears_while_one_looks(visitor: Visitor, shown: Shown) -> None:
    page = visitor.open("/")
    expect(page.locator(".sample")).to_have_count(1)
    elsewhere(lambda: _publish(shown, 40))
    expect(page.locator(".sample")).to_have_count(2)
    expect(page.locator(".sample").last).to_contain_text("Step 40")
    expect(page.locator(".sample").last).to_contain_text("def better")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_question_is_answered_with_its_tree(
    alice_is_signed_in: dict[str, str], visitor: Visitor, shown: Shown, *, has_scripts: bool
) -> None:
    visitor.cookies = alice_is_signed_in
    page = visitor.open("/", View(has_scripts=has_scripts))
    answering = elsewhere(lambda: answer_next(shown.lab.people.alice, ANSWER), is_awaited=False)
    page.get_by_label("Begin a text").fill("def ")
    page.get_by_role("button", name="Generate and sign").click()
    if has_scripts:
        expect(page.locator("signed-answer textarea")).to_have_value(ANSWER)
        expect(page.locator("signed-answer")).to_have_attribute("data-state", "intact")
    else:
        expect(page.locator("signed-answer pre").first).to_have_text(ANSWER)
    answering.join()
    own = page.locator("signed-answer").get_attribute("data-evidence")
    expect(page.locator("#leaving")).to_contain_text(f'$ASSAY_TOKEN" {PUBLIC_URL}{own} -o')


def test_a_refusal_is_said_beside_the_button(
    alice_is_signed_in: dict[str, str], visitor: Visitor
) -> None:
    visitor.cookies = alice_is_signed_in
    page = visitor.open("/")
    page.get_by_label("Temperature").fill("9")
    page.get_by_role("button", name="Generate and sign").click()
    expect(page.locator("[data-progress]")).to_contain_text("temperature: expected a decimal")
    # The refusal is an answer like any other, but Chromium counts it among the failures.
    assert [text for text in visitor.complaints if "422" not in text] == []
    visitor.complaints.clear()


@pytest.mark.parametrize(
    ("poll", "said"),
    [
        ({"status": 500, "body": "no"}, "500"),
        ({"status": 404, "json": {"detail": "expected an output of yours"}}, "an output of yours"),
        ({"json": {"id": "x", "state": "generating"}}, "longer than two minutes"),
        (None, "could not be reached"),
    ],
)
def test_an_answer_that_does_not_come_is_never_shown(
    alice_is_signed_in: dict[str, str],
    visitor: Visitor,
    poll: dict[str, Any] | None,
    said: str,
) -> None:
    visitor.cookies = alice_is_signed_in
    page = visitor.open("/projects")
    waiting = {"id": "x", "state": "generating"}
    page.add_init_script(HASTE)
    page.route("**/api/v1/outputs", lambda route: route.fulfill(status=202, json=waiting))
    page.route(
        "**/api/v1/outputs/x",
        lambda route: route.abort() if poll is None else route.fulfill(**poll),
    )
    page.goto(visitor.url)
    page.get_by_role("button", name="Generate and sign").click()
    expect(page.locator("[data-progress]")).to_contain_text(said, timeout=20_000)
    expect(page.locator("signed-answer")).to_have_attribute("data-state", "intact")
    assert [text for text in visitor.complaints if "Failed to load resource" not in text] == []
    visitor.complaints.clear()


def test_a_digest_is_copied_whole(visitor: Visitor, shown: Shown) -> None:
    page = visitor.open("/")
    page.locator(".link").nth(1).get_by_role("button", name="Copy").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"sha256:{shown.checkpoint.manifest_sha256}"


def _report(shown: Shown) -> None:
    lease = active_lease(shown.lab.run)
    points = pool.parse_points({"points": [POINT]})
    pool.report(lease.id, points, by=shown.machine.node.owner, now=timezone.now())


def _publish(shown: Shown, step: int) -> None:
    lease = active_lease(shown.lab.run)
    owner = shown.machine.node.owner
    submitted = pool.Submitted.parse(submission(shown.lab, shown.machine, step))
    received = pool.submit(lease.id, submitted, by=owner, now=timezone.now())
    catalog.advance(received.pk)
    answer_next(owner, "def better(self):\n    pass\n")

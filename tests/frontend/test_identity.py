# SPDX-License-Identifier: Apache-2.0
"""Signing in by a provider, linking one, naming publishers, consenting: in a real browser.

The browser finds the registry at its public address, as the provider's answers lead there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.frontend.signing_in import cookies_of
from tests.frontend.test_accessibility import LOOKS, violations
from tests.frontend.visitor import View, Visitor
from tests.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running
from tests.registry.site.world import Shown
from tests.running import Live

SIGN_INS = "/settings/sign-ins"
CONSENT = {
    "client_id": "sigstore",
    "response_type": "code",
    "scope": "openid email",
    "state": "state",
    "nonce": "nonce",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
    "redirect_uri": "http://localhost:1/callback",
}


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    """A provider for everything, which the live registry believes."""
    believed = Path(os.environ["ASSAY_OIDC_PROVIDERS"])
    before = believed.read_text()
    secret = tmp_path / "client-secret"
    secret.write_text(f"{CLIENT_SECRET}\n")
    with running() as made:
        example = {
            "name": "example",
            "title": "Example University",
            "issuer": made.url,
            "uses": ["sign-in", "publishing"],
            "admits": "anyone",
            "client_id": CLIENT_ID,
            "client_secret_file": str(secret),
        }
        providers = [example, {"preset": "github-actions"}]
        believed.write_text(json.dumps({"providers": providers}))
        yield made
    believed.write_text(before)


@pytest.fixture
def alice(shown: Shown) -> dict[str, str]:
    """Before the browser starts."""
    return cookies_of(shown.lab.people.alice)


@pytest.fixture
def browser(chromium: str, axe: str, shown: Shown, live: Live) -> Iterator[Browser]:
    """One that finds the registry where its public address says."""
    home = f"MAP {urlsplit(settings.PUBLIC_URL).netloc} {urlsplit(live.url).netloc}"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", f"--host-resolver-rules={home}"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visitor(alice: dict[str, str], issuer: Issuer, browser: Browser) -> Iterator[Visitor]:
    visitor = Visitor(browser, settings.PUBLIC_URL)
    yield visitor
    assert visitor.complaints == []


def link(page: Page) -> None:
    page.get_by_role("link", name="Link Example University").click()
    page.get_by_role("button", name="Link it").click()


def test_a_newcomer_chooses_a_name_and_is_signed_in(visitor: Visitor, axe: str) -> None:
    page = visitor.open(f"/login?next={SIGN_INS}")
    page.get_by_role("link", name="Sign in by Example University").click()
    expect(page.get_by_role("heading", name="Choose a name")).to_be_visible()
    assert violations(page, axe) == []
    page.get_by_label("Name").fill("dana")
    page.get_by_role("button", name="Take this name").click()
    expect(page).to_have_url(f"{visitor.url}{SIGN_INS}")
    expect(page.get_by_text("248289761001")).to_be_visible()
    expect(page.get_by_role("link", name="dana")).to_be_visible()


def test_the_only_way_in_cannot_be_removed(visitor: Visitor, alice: dict[str, str]) -> None:
    visitor.cookies = alice
    page = visitor.open(SIGN_INS)
    link(page)
    page.get_by_text("Remove", exact=True).click()
    page.get_by_role("button", name="Remove this sign-in").click()
    expect(page.get_by_role("alert")).to_contain_text("expected another way to sign in")
    expect(page.get_by_text("248289761001")).to_be_visible()
    visitor.complaints.clear()  # Chromium names the answer's status, 409


def test_a_job_is_named_and_removed_without_a_script(
    visitor: Visitor, alice: dict[str, str], shown: Shown
) -> None:
    visitor.cookies = alice
    page = visitor.open(shown.lab.project.path, View(has_scripts=False))
    page.get_by_role("link", name="Trusted publishers").click()
    page.get_by_label("Repository").fill("lab/model")
    page.get_by_label("Number of its owner").fill("71096353")
    page.get_by_label("Branch").fill("main")
    page.get_by_role("button", name="Name this workflow").click()
    expect(page.get_by_role("status")).to_contain_text("The publisher was named.")
    expect(page.get_by_text("repo:lab/model:ref:refs/heads/main")).to_be_visible()
    page.get_by_text("Remove", exact=True).click()
    page.get_by_role("button", name="Remove this publisher").click()
    expect(page.get_by_text("No job may publish here.")).to_be_visible()


def test_axe_finds_nothing_on_pages_of_ones_own(
    visitor: Visitor, alice: dict[str, str], shown: Shown, axe: str
) -> None:
    publishers = f"{shown.lab.project.path}/settings/publishers"
    consent = f"/auth/authorize?{urlencode(CONSENT)}"
    out_of_band = {**CONSENT, "redirect_uri": "urn:ietf:wg:oauth:2.0:oob"}
    visitor.cookies = alice
    found: list[str] = []
    link(visitor.open(SIGN_INS))
    for width, colours in LOOKS:
        page = visitor.open("/login", View(colours=colours, width=width))
        for path in ("/login", SIGN_INS, publishers, "/auth/sign-in/example", consent):
            page.goto(visitor.url + path)
            found += violations(page, axe)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path} is wider than {width} pixels")
        page.goto(f"{visitor.url}/auth/authorize?{urlencode(out_of_band)}")
        page.get_by_role("button", name="Let it sign").click()
        expect(page.get_by_role("heading", name="Your code")).to_be_visible()
        found += violations(page, axe)
    assert found == []


def test_who_does_not_agree_is_sent_back_with_no_code(
    visitor: Visitor, alice: dict[str, str]
) -> None:
    visitor.cookies = alice
    page = visitor.open(f"/auth/authorize?{urlencode(CONSENT)}")
    asked: list[str] = []
    page.route("http://localhost:1/**", lambda route: route.fulfill(body="back"))
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="No").click()
    page.wait_for_url("http://localhost:1/**")
    assert "error=access_denied" in asked[-1]
    assert "code=" not in asked[-1]

# SPDX-License-Identifier: Apache-2.0
"""A real browser on a real server: Chromium, driven by Playwright, against the `live` registry.

Looked for in this order: `$CHROMIUM`, `chromium` on the PATH; without one these tests are skipped.
The browser starts after the database is filled and stops before it is emptied: Playwright keeps an
event loop in this thread, under which Django refuses to touch the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.frontend.visitor import Visitor
from tests.needing import chromium as installed
from tests.needing import require
from tests.registry.people import invite
from tests.registry.pool.world import found, join
from tests.registry.site.world import Shown, show
from tests.running import Live

CHECKOUT = Path(__file__).resolve().parents[2]
expect.set_options(timeout=60_000)  # milliseconds; 5 s are few for a page on a busy machine


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser; skips where there is none."""
    require("chromium")
    return str(installed())


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, to be evaluated in a page: a script element would break the page's own rules."""
    script = CHECKOUT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
    require("axe", "pages")
    return script.read_text("utf-8")


@pytest.fixture
def shown(live: Live) -> Shown:
    """A published checkpoint of a running run, with its signed sample."""
    people = invite()
    return show(found(people), join(people.bob))


@pytest.fixture
def browser(chromium: str, axe: str, shown: Shown) -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        # A container's root has no sandbox to start, and these pages are our own.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, live: Live) -> Iterator[Visitor]:
    """Somebody who looks at this registry; whatever the browser complains of fails the test."""
    visitor = Visitor(browser, live.url)
    yield visitor
    assert visitor.complaints == []

# SPDX-License-Identifier: Apache-2.0
"""Somebody with a browser: opens pages, signs in, and hears what the browser complains of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How somebody looks at a page."""

    width: int = 1280
    height: int = 900
    colours: Literal["light", "dark"] = "light"
    motion: Literal["reduce", "no-preference"] = "no-preference"
    has_scripts: bool = True
    scale: float = 1


@dataclass(slots=True)
class Visitor:
    """One browser, any number of pages."""

    browser: Browser
    url: str
    complaints: list[str] = field(default_factory=list)
    cookies: Mapping[str, str] = field(default_factory=dict[str, str])

    def open(self, path: str, view: View | None = None) -> Page:
        """A page in a context of its own."""
        page = self._context(view or View()).new_page()
        page.on("console", lambda message: self._hear(message))  # noqa: PLW0108 - it marks its handler
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        answer = page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, answer.status
        return page

    def _context(self, view: View) -> BrowserContext:
        made = self.browser.new_context(
            viewport={"width": view.width, "height": view.height},
            color_scheme=view.colours,
            reduced_motion=view.motion,
            java_script_enabled=view.has_scripts,
            device_scale_factor=view.scale,
            permissions=["clipboard-read", "clipboard-write"],
        )
        for name, value in self.cookies.items():
            made.add_cookies([{"name": name, "value": value, "url": self.url}])
        return made

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

# SPDX-License-Identifier: Apache-2.0
"""The picture in the README: a tree intact beside the same tree with one byte of its text changed.

    python -m tests.frontend.picture http://localhost:8000 docs/images/first-two-minutes.png

takes it of a running registry. Every program named in it has just been run on what the page shows.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.frontend.strangers import Agreement, ask_all
from tests.frontend.visitor import View, Visitor

VIEW = View(width=1240, height=1000, scale=1.5)
SHEET_WIDTH = 1440
# What stands at each link in place of the commands: who agreed just now, or who does not.
ANNOTATE = """([part, words, agrees]) => {
  const link = document.querySelector(`.link[data-part="${part}"] .link-body`);
  link.querySelector(".more")?.remove();
  const line = document.createElement("p");
  line.className = agrees ? "agreed" : "agreed not";
  line.textContent = words;
  link.append(line);
}"""
# In the registry's own style sheet and fonts; its rules allow no inline style, but this.
SHEET = """([words, pictures]) => {
  const columns = pictures.map((source, index) => {
    const column = document.createElement("div");
    const heading = document.createElement("h2");
    const picture = document.createElement("img");
    heading.textContent = words[index];
    heading.style.marginBottom = "20px";
    picture.src = source;
    column.append(heading, picture);
    return column;
  });
  document.body.replaceChildren(...columns);
  Object.assign(document.body.style, {
    display: "grid",
    gridTemplateColumns: "1fr 1fr",
    gap: "44px",
    padding: "32px",
    minHeight: "auto",
  });
  return Promise.all([...document.images].map((picture) => picture.decode()));
}"""


def take(browser: Browser, url: str, *, shown_url: str, folder: Path) -> bytes:
    """A PNG. Raises unless all programs agree with the tree, and one disagrees with the change."""
    visitor = Visitor(browser, url)
    intact, broken = (_tree(visitor) for _ in range(2))
    agreements = ask_all(intact, folder, shown_url=shown_url, url=url)
    _annotate(intact, agreements)
    _annotate(broken, agreements)
    _change(broken)
    assert visitor.complaints == []
    pictures = [page.locator("signed-answer").screenshot() for page in (intact, broken)]
    return _sheet(visitor, *pictures)


def _tree(visitor: Visitor) -> Page:
    page = visitor.open("/", VIEW)
    expect(page.locator("signed-answer")).to_have_attribute("data-state", "intact")
    return page


def _change(page: Page) -> None:
    """One character of the text; then sha256sum no longer gives the signed digest."""
    area = page.locator("signed-answer textarea")
    text = area.input_value()
    at = next(index for index, letter in enumerate(text) if letter.isalpha())
    changed = f"{text[:at]}{'x' if text[at] != 'x' else 'y'}{text[at + 1 :]}"
    area.fill(changed)
    expect(page.locator("signed-answer")).to_have_attribute("data-state", "broken")
    expect(page.locator('.link[data-state="broken"]')).to_have_count(1)
    area.blur()
    found = _sha256sum(changed)
    signed = page.locator(".trail .digest code").first.get_attribute("title")
    assert signed != f"sha256:{found}"
    page.evaluate("() => document.querySelector('.link[data-part=output] .agreed').remove()")
    page.evaluate(ANNOTATE, ["output", f"✘ sha256sum gives {found[:6]}…{found[-6:]}", False])


def _sha256sum(text: str) -> str:
    done = subprocess.run(("sha256sum",), input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode().split()[0]


def _annotate(page: Page, agreements: list[Agreement]) -> None:
    for part in dict.fromkeys(agreement.part for agreement in agreements):
        programs = [each.program for each in agreements if each.part == part]
        verb = "agrees" if len(programs) == 1 else "agree"
        page.evaluate(ANNOTATE, [part, f"✔ {' and '.join(programs)} {verb}", True])


def _sheet(visitor: Visitor, *pictures: bytes) -> bytes:
    """Both side by side."""
    page = visitor.open("/login", View(width=SHEET_WIDTH, height=400, scale=1.5))
    words = ["As it was signed", "One character changed"]
    page.evaluate(SHEET, [words, [_data(png) for png in pictures]])
    return page.locator("body").screenshot()


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def main(url: str, target: str) -> None:
    """Of a running registry, whose public URL is the one it is reached at."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        png = take(browser, url, shown_url=url, folder=Path(folder))
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_bytes(png)


if __name__ == "__main__":
    main(*sys.argv[1:])

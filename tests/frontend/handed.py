# SPDX-License-Identifier: Apache-2.0
"""What a visitor hands to the page that verifies: files on a disk, as they were saved once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from registry.authority import queries as authority
from registry.catalog import queries as catalog
from registry.outputs import queries as outputs
from tests.frontend.visitor import View, Visitor
from tests.registry.pool.world import weights
from tests.registry.site.world import STEP, TEXT, Shown

PAGE = "/verify"
UNANSWERED = "Failed to load resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A text and a checkpoint's folder, each with its evidence, and the registry's trust root."""

    text: Path
    answer: Path
    evidence: Path
    folder: Path
    folder_evidence: Path
    trust: Path


def keep(shown: Shown, place: Path) -> Kept:
    """Write it all down; before the browser starts."""
    text, answer = place / "hello.py", place / "answer.json"
    evidence, folder = place / "hello.assay.json", place / "tiny-step-000020"
    folder_evidence, trust = place / "tiny-step-000020.assay.json", place / "trust.json"
    text.write_text(TEXT)
    answer.write_text(json.dumps(outputs.answer(shown.sample)))
    evidence.write_bytes(outputs.evidence(shown.sample).canonical())
    folder.mkdir()
    for name, content in weights(STEP).items():
        (folder / name).write_bytes(content)
    folder_evidence.write_bytes(catalog.evidence(shown.checkpoint).canonical())
    trust.write_bytes(authority.trust_root().canonical())
    return Kept(
        text=text,
        answer=answer,
        evidence=evidence,
        folder=folder,
        folder_evidence=folder_evidence,
        trust=trust,
    )


def desk(visitor: Visitor, view: View | None = None) -> Page:
    """The page, once it needs nothing more of the network."""
    page = visitor.open(PAGE, view)
    expect(page.locator("verify-desk")).to_have_attribute("data-state", "ready")
    return page


def hand_in(page: Page, *files: Path) -> None:
    """Choose files; or a folder, if it is one."""
    (first, *_) = files
    name = "folder" if first.is_dir() else "files"
    page.locator(f'input[name="{name}"]').set_input_files(first if first.is_dir() else files)


def verdict(page: Page, headline: str) -> str:
    """Its sentence, once there is one verdict and it is this."""
    expect(page.locator(".result")).to_have_count(1)
    expect(page.locator("[data-headline]")).to_have_text(headline)
    return page.locator("[data-sentences]").inner_text()


def failed(page: Page) -> list[str]:
    """The codes of the checks that failed."""
    failures = page.locator('[data-steps] li[data-outcome="failed"] code')
    return [code.text_content() or "" for code in failures.all()]


def unheard(visitor: Visitor) -> None:
    """What Chromium says by itself of an answer of 404, or of none."""
    visitor.complaints[:] = [text for text in visitor.complaints if UNANSWERED not in text]

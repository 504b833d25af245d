# SPDX-License-Identifier: Apache-2.0
"""The page that says what is known of a text, to anybody, without a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from registry.accounts.models import User
from registry.outputs import limits, services
from registry.outputs.models import Output
from tests.registry.outputs import world
from tests.registry.outputs.test_detecting import SECOND, TEXT
from tests.registry.pool.world import Lab
from tests.signing.marking import key, line, marked, prose


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    cache.clear()


def ask(text: str, status: int = 200) -> str:
    answer = Client().post("/detect", {"text": text})
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_form_says_what_becomes_of_the_text(db: None) -> None:
    page = Client().get("/detect")
    assert page.status_code == 200
    assert "kept nowhere" in page.content.decode()
    assert 'role="status"' not in page.content.decode()


def test_what_was_signed_leads_to_its_output_also_as_a_form_sends_it(
    real_lab: Lab, operator: User
) -> None:
    world.trained(real_lab, 20)
    services.queue_samples()
    sample: Output = world.generate(operator, TEXT)
    for text in (TEXT, TEXT.replace("\n", "\r\n")):
        page = ask(text)
        assert "Signed here" in page
        assert f'href="/outputs/{sample.pk}"' in page
        assert "to the byte" in page
    assert "but for line ends" in ask(f"{TEXT}\n\n")
    page = ask(SECOND)
    assert "Parts of it are known" in page
    assert "1 of 1 paragraphs and lines" in page


def test_a_mark_is_shown_with_its_chance(db: None, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(line(0))
    settings.WATERMARK_KEY_FILE = str(file)
    page = ask(marked(300, by=key()))
    assert "<dd>found</dd>" in page
    assert re.search(r"p = \d(\.\d)?e-\d\d<", page)
    assert "not found" in ask(prose(300))


def test_what_is_unknown_proves_nothing_and_is_shown_as_text(db: None) -> None:
    page = ask("<script>alert(1)</script>")
    assert "proves nothing" in page
    assert "<script>alert" not in page
    assert "Watermark" not in page


@pytest.mark.parametrize("text", ["", "é" * 9000])
def test_what_is_no_text_is_said(db: None, text: str) -> None:
    page = ask(text, status=422)
    assert "text: expected" in page
    assert "Unknown" not in page


def test_the_page_and_the_api_are_asked_together(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.DetectingRate, "rate", "2/min")
    ask("a")
    body, kind = b'{"text":"a"}', "application/json"
    assert Client().post("/api/v1/detect", body, content_type=kind).status_code == 200
    assert Client().post("/detect", {"text": "a"}).status_code == 429

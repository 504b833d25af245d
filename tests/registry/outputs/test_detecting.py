# SPDX-License-Identifier: Apache-2.0
"""What anybody may ask of a text: what is known is said with what it is worth, and nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from assay.signing.statements import Mark
from registry.accounts.models import User
from registry.catalog.models import Checkpoint, Project
from registry.outputs import detecting, excerpts, limits, services
from registry.outputs.models import Output
from tests.registry.outputs import world
from tests.registry.pool.world import Lab
from tests.signing.marking import key, line, marked, prose

URL = "/api/v1/detect"
FIRST = "The first paragraph, which is long enough to be told from any other,\nin two lines."
SECOND = "And the second one, which nobody else has written just so, as far as we know.\n"
TEXT = f"{FIRST}\n\n{SECOND}"


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    cache.clear()


@pytest.fixture
def _has_keys(settings: Settings, tmp_path: Path) -> None:
    """The registry marks by key 0, and knows key 1 from before."""
    file = tmp_path / "watermark-key"
    file.write_text(f"{line(0)}\n{line(1)}\n")
    settings.WATERMARK_KEY_FILE = str(file)


@pytest.fixture
def sample(real_lab: Lab, operator: User) -> Output:
    """A text that everybody may see."""
    world.trained(real_lab, 20)
    services.queue_samples()
    return world.generate(operator, TEXT)


def ask(text: str, **headers: str) -> dict[str, Any]:
    answer = APIClient().post(URL, {"text": text}, headers=headers)
    assert answer.status_code == 200, answer.content
    said: dict[str, Any] = answer.json()
    return said


@pytest.mark.parametrize(
    ("copied", "is_exact"), [(TEXT, True), (TEXT.replace("\n", " \r\n"), False)]
)
def test_what_was_signed_is_found_to_the_byte_and_as_it_is_copied(
    sample: Output, copied: str, is_exact: bool
) -> None:
    said = ask(copied)
    assert said["answer"] == "signed"
    (found,) = said["signed"]
    assert (found["id"], found["is_exact"]) == (str(sample.pk), is_exact)
    assert found["url"].endswith(f"/outputs/{sample.pk}")
    assert APIClient().get(f"/api/v1/outputs/{found['id']}").json()["text"] == TEXT
    assert "verify it" in said["says"]
    assert said["resembles"] == []


def test_the_very_text_comes_before_newer_ones_that_are_only_like_it(
    real_lab: Lab, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detecting, "MAX_LISTED", 2)
    world.trained(real_lab, 10, 20, 30, 40)
    services.queue_samples()
    same = world.generate(operator, TEXT)
    for spaces in (1, 2, 3):
        world.generate(operator, f"{TEXT}{' ' * spaces}")
    found = ask(TEXT)["signed"]
    assert len(found) == detecting.MAX_LISTED
    assert [each["id"] for each in found if each["is_exact"]] == [str(same.pk)]
    assert found[0]["is_exact"]


@pytest.mark.parametrize(
    ("excerpt", "shared"),
    [
        (SECOND, 1),
        (FIRST.upper().replace("\n", " "), 1),  # in one line, as it comes out of another program
        (FIRST.split("\n", maxsplit=1)[0], 1),
        (f"Somebody quotes:\n\n{SECOND}\n\nand goes on about it at some length, as people do.", 1),
        (TEXT.replace("nobody else", "hardly anybody"), 2),
    ],
)
def test_an_excerpt_leads_to_the_text_it_is_of(sample: Output, excerpt: str, shared: int) -> None:
    said = ask(excerpt)
    assert said["answer"] == "resembles"
    (found,) = said["resembles"]
    assert (found["id"], found["shared"]) == (str(sample.pk), shared)
    assert "from elsewhere" in said["says"]
    assert said["signed"] == []


def test_what_shares_most_comes_first(real_lab: Lab, operator: User) -> None:
    world.trained(real_lab, 10, 20)
    services.queue_samples()
    less = world.generate(operator, SECOND)
    more = world.generate(operator, TEXT)
    found = ask(f"{TEXT}\nMore.")["resembles"]
    assert [(each["id"], each["shared"]) for each in found] == [
        (str(more.pk), 3),
        (str(less.pk), 1),
    ]


@pytest.mark.parametrize("text", ["in two lines.", "as far as we know", prose(200)])
def test_of_what_is_unknown_nothing_is_said(sample: Output, text: str) -> None:
    said = ask(text)
    assert said["answer"] == "unknown"
    assert "proves nothing" in said["says"]
    assert (said["signed"], said["resembles"]) == ([], [])


@pytest.mark.usefixtures("db", "_has_keys")
@pytest.mark.parametrize("by", [0, 1])
def test_a_mark_is_found_by_the_text_alone(by: int) -> None:
    said = ask(marked(300, by=key(by)).upper())
    assert said["answer"] == "watermark"
    found = said["watermark"]
    assert (found["is_found"], found["key"]) == (True, key(by).id)
    assert found["p_value"] < found["max_p_value"] == 1e-6
    assert 200 < found["places"] < 300
    assert "no signature" in said["says"]


@pytest.mark.usefixtures("db", "_has_keys")
def test_less_than_the_limit_is_shown_and_not_called_found() -> None:
    said = ask(marked(40, by=key()))
    assert said["answer"] == "unknown"
    assert said["watermark"]["is_found"] is False
    assert 1e-6 < said["watermark"]["p_value"] < 1
    assert ask(prose(400))["watermark"]["p_value"] > 0.001
    assert ask(marked(300, by=key(2)))["watermark"]["is_found"] is False


@pytest.mark.usefixtures("db")
def test_without_a_key_nothing_is_said_of_marks() -> None:
    assert ask(marked(300, by=key()))["watermark"] is None


@pytest.mark.usefixtures("_has_keys")
def test_all_that_is_known_is_told_and_the_surest_is_the_answer(
    real_lab: Lab, operator: User
) -> None:
    world.trained(real_lab, 20)
    services.queue_samples()
    text = marked(235, by=key())
    mark = Mark(scheme="tournament/v1", key=key().id)
    world.generate(operator, text, mark)
    said = ask(text)
    assert (said["answer"], said["watermark"]["is_found"]) == ("signed", True)
    said = ask(f"{text}\n\nAnd so on.")
    assert (said["answer"], len(said["resembles"])) == ("watermark", 1)


def test_what_is_not_everybodys_is_told_to_nobody(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(real_lab, real_checkpoint, max_new_bytes=240)
    world.generate(operator, TEXT)
    assert ask(TEXT)["answer"] == "unknown"
    assert ask(SECOND)["answer"] == "unknown"


def test_a_sample_of_a_project_that_became_private_is_told_to_nobody(sample: Output) -> None:
    Project.objects.update(visibility="private")
    assert ask(TEXT)["answer"] == "unknown"
    assert ask(SECOND)["answer"] == "unknown"


def test_what_is_asked_about_is_kept_nowhere(
    sample: Output, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "What somebody asks about in confidence, and would not find again.\n"
    with CaptureQueriesContext(connection) as queries:
        ask(secret)
    assert len(queries) == 3
    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert "confidence" not in json.dumps(queries.captured_queries) + caplog.text


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "text: expected"),
        ({"text": ""}, "text: expected"),
        ({"text": 7}, "text: expected a string"),
        ({"text": "a", "limit": 1}, "'limit': expected no such field"),
        ({"text": "a" * 16_385}, "text: expected"),
        ({"text": "é" * 8_193}, "expected at most 16384 bytes, found 16386"),
    ],
)
def test_what_is_no_question_is_refused(body: dict[str, object], said: str) -> None:
    answer = APIClient().post(URL, body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


@pytest.mark.usefixtures("db")
def test_half_a_surrogate_pair_is_no_text() -> None:
    answer = APIClient().post(URL, b'{"text": "a\\ud800"}', content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")


@pytest.mark.usefixtures("db")
def test_one_address_is_asked_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.DetectingRate, "rate", "2/min")
    client = APIClient()
    assert [client.post(URL, {"text": "a"}).status_code for _ in range(3)] == [200, 200, 429]
    assert APIClient(REMOTE_ADDR="203.0.113.9").post(URL, {"text": "a"}).status_code == 200


def test_pieces_are_paragraphs_and_lines_that_are_long_enough_once_each() -> None:
    found = excerpts.pieces(TEXT)
    assert len(found) == 3  # the first paragraph, its first line, and the second, which is one line
    assert excerpts.pieces(f"{TEXT}\n\n{TEXT}") == found
    assert excerpts.pieces(TEXT.swapcase().replace("\n\n", "\r\n\r\n\r\n")) == found
    assert excerpts.pieces("a" * 39) == []
    assert len(excerpts.pieces("a" * 40)) == 1
    assert len(excerpts.pieces("\n".join(f"{number:040}" for number in range(2000)))) == 1000


def test_the_limit_is_one_in_a_million() -> None:
    assert detecting.MAX_P_VALUE == 1e-6

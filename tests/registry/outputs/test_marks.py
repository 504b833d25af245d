# SPDX-License-Identifier: Apache-2.0
"""Whether a text was marked, and by which key, is said as the generation program knows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from assay.signing.statements import Mark
from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.outputs import marks, queries, services
from registry.outputs.models import Output, State
from registry.outputs.signing import claim_of
from tests.registry.outputs import world
from tests.registry.outputs.world import TEXT
from tests.registry.people import client_of
from tests.registry.pool.world import Lab
from tests.signing.marking import key, line

LEASE = "/api/v1/generation/lease"


def mark(number: int = 0, scheme: str = "tournament/v1") -> Mark:
    return Mark(scheme=scheme, key=key(number).id)


@pytest.fixture
def key_file(settings: Settings, tmp_path: Path) -> Path:
    """The registry marks by key 0, and knows key 1 from before."""
    file = tmp_path / "watermark-key"
    file.write_text(f"{line(0)}\n{line(1)}\n")
    settings.WATERMARK_KEY_FILE = str(file)
    return file


@pytest.mark.parametrize(("made", "said"), [(mark(), mark()), (mark(1), mark(1)), (None, None)])
def test_the_statement_says_which_mark_or_that_there_is_none(
    real_lab: Lab,
    real_checkpoint: Checkpoint,
    operator: User,
    key_file: Path,
    made: Mark | None,
    said: Mark | None,
) -> None:
    world.ask(real_lab, real_checkpoint)
    output = world.generate(operator, mark=made)
    assert output.state == State.SIGNED
    claim = claim_of(queries.outputs().get(pk=output.pk))
    assert claim.generation is not None
    assert claim.generation["mark"] == (said and said.to_json())
    assert claim.mark == said


@pytest.mark.parametrize("made", [mark(2), mark(0, "another/v1")])
def test_a_mark_that_nobody_here_could_find_is_refused(
    lab: Lab, checkpoint: Checkpoint, operator: User, key_file: Path, made: Mark
) -> None:
    world.ask(lab, checkpoint)
    program = client_of(operator, "generation")
    work = program.post(LEASE, {"node": "generator"}).json()
    body = {"text": TEXT, "mark": made.to_json()}
    answer = program.post(f"/api/v1/generation/{work['id']}/complete", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unusable-text")
    assert f"one of this registry's keys ({key(0).id}, {key(1).id})" in answer.json()["detail"]
    assert Output.objects.get().state == State.LEASED


def test_without_a_key_no_mark_is_believed(
    lab: Lab, checkpoint: Checkpoint, operator: User
) -> None:
    world.ask(lab, checkpoint)
    program = client_of(operator, "generation")
    work = program.post(LEASE, {"node": "generator"}).json()
    url = f"/api/v1/generation/{work['id']}/complete"
    answer = program.post(url, {"text": TEXT, "mark": mark().to_json()})
    assert "one of this registry's keys (none), found" in answer.json()["detail"]
    assert program.post(url, {"text": TEXT, "mark": None}).status_code == 204
    assert Output.objects.get().mark is None


@pytest.mark.parametrize("said", ["tournament/v1", {}, {"scheme": "tournament/v1"}, [], 1])
def test_what_is_no_mark_changes_nothing(
    lab: Lab, checkpoint: Checkpoint, operator: User, said: object
) -> None:
    world.ask(lab, checkpoint)
    program = client_of(operator, "generation")
    work = program.post(LEASE, {"node": "generator"}).json()
    url = f"/api/v1/generation/{work['id']}/complete"
    answer = program.post(url, {"text": TEXT, "mark": said})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("mark")
    assert Output.objects.get().state == State.LEASED


def test_what_a_caller_says_has_no_mark(lab: Lab, checkpoint: Checkpoint) -> None:
    assertion = services.Assertion.parse(world.asserted_of(checkpoint))
    output = services.assert_content(assertion, by=lab.people.bob)
    assert output.mark is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (b"short", "expected 32 characters or more in each line, found 5"),
        (b"\xff" * 40, "expected UTF-8"),
    ],
)
def test_a_key_file_that_cannot_be_used_says_why_and_shows_nothing_of_it(
    settings: Settings, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "another-key"
    if content is not None:
        file.write_bytes(content)
    settings.WATERMARK_KEY_FILE = str(file)
    with pytest.raises(ImproperlyConfigured) as caught:
        marks.keys()
    assert said in str(caught.value)
    assert "short" not in str(caught.value)
    assert "ff" not in str(caught.value).replace(str(file), "")

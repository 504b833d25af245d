# SPDX-License-Identifier: Apache-2.0
"""The commands of a private output, in a shell: they work with its caller's token, and only so."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from registry.accounts.models import User
from registry.site import queries
from registry.site.queries import Answer
from tests.registry.people import secret_of
from tests.registry.site.world import Shown, answer_next, ask
from tests.running import Live

HTTP_ERROR = 22  # curl's exit code


@pytest.fixture
def alice(committed: Shown) -> User:
    return committed.lab.people.alice


@pytest.fixture
def answer(committed: Shown, alice: User) -> Answer:
    """What Alice alone may read."""
    ask(committed.checkpoint, by=alice)
    return queries.answer(answer_next(alice))


def run(command: str, live: Live, folder: Path, token: str) -> tuple[int, str]:
    """How the command ended, and what it said; in a shell that stops at the first error."""
    ended = subprocess.run(
        ("bash", "-euo", "pipefail", "-c", command.replace(settings.PUBLIC_URL, live.url)),
        cwd=folder,
        env={**os.environ, "ASSAY_TOKEN": token, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_its_caller_can_save_and_judge_it(
    live: Live, answer: Answer, alice: User, tmp_path: Path
) -> None:
    token = secret_of(alice, "outputs")
    assert run(answer.off.save, live, tmp_path, token)[0] == 0
    saved = json.loads((tmp_path / "answer.json").read_text())
    assert saved["text"] == answer.output.text
    for check in answer.links[0].checks:
        code, said = run(check.command, live, tmp_path, token)
        assert (code, check.answer in said) == (0, True), said


def test_nobody_else_can_and_the_commands_say_so(
    live: Live, answer: Answer, committed: Shown, tmp_path: Path
) -> None:
    token = secret_of(committed.lab.people.bob, "outputs")
    for command in (answer.off.save, *(check.command for check in answer.links[0].checks)):
        code, said = run(command, live, tmp_path, token)
        assert (code, "404" in said) == (HTTP_ERROR, True), said
    assert list(tmp_path.iterdir()) == []

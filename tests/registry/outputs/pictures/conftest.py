# SPDX-License-Identifier: Apache-2.0
"""Fixtures of pictures: a checkpoint that draws, a key, and a picture that is signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings

from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.outputs.models import Output
from tests.registry.outputs import world
from tests.registry.people import People
from tests.registry.pool.world import Lab, found
from tests.running import Authority
from tests.signing.marking import key, line

from . import drawn


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _has_keys(settings: Settings, tmp_path: Path) -> None:
    """The registry marks by key 0, and knows key 1 from before."""
    file = tmp_path / "watermark-key"
    file.write_text(f"{line(0)}\n{line(1)}\n")
    settings.WATERMARK_KEY_FILE = str(file)


@pytest.fixture
def lab(authority: Authority, people: People) -> Lab:
    return found(people)


@pytest.fixture
def checkpoint(lab: Lab) -> Checkpoint:
    return drawn.published(lab)


@pytest.fixture
def operator(people: People) -> User:
    return world.operator()


@pytest.fixture
def signed(lab: Lab, checkpoint: Checkpoint, operator: User) -> Output:
    """A marked picture of Bob's."""
    drawn.ask(lab, checkpoint)
    return drawn.answer(operator, key())

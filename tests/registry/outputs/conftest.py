# SPDX-License-Identifier: Apache-2.0
"""Fixtures of outputs: the lab and a published checkpoint, on paper or with a real authority."""

from __future__ import annotations

import pytest

from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from tests.registry.outputs import world
from tests.registry.people import People
from tests.registry.pool.world import Lab, found, on_paper, paper_checkpoint
from tests.running import Authority


@pytest.fixture
def lab(people: People) -> Lab:
    """A project with one open run, as rows: for whatever neither signs nor verifies."""
    return on_paper(people)


@pytest.fixture
def checkpoint(lab: Lab) -> Checkpoint:
    """A checkpoint that was published without a run, as rows."""
    return paper_checkpoint(lab, 1, is_by_hand=True)


@pytest.fixture
def real_lab(authority: Authority, people: People) -> Lab:
    """The same, with everything signed."""
    return found(people)


@pytest.fixture
def real_checkpoint(real_lab: Lab) -> Checkpoint:
    """One that Alice published without a run, signed."""
    return world.published(real_lab)


@pytest.fixture
def operator(people: People) -> User:
    """Whose token the generation program has."""
    return world.operator()

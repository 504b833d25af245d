# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the pool: a lab with a run and Bob's machine, on paper or with a real authority."""

from __future__ import annotations

import pytest

from tests.registry.people import People
from tests.registry.pool import world
from tests.registry.pool.world import Lab, Machine
from tests.running import Authority


@pytest.fixture
def lab(people: People) -> Lab:
    """A project with one open run, as rows: for whatever neither signs nor verifies."""
    return world.on_paper(people)


@pytest.fixture
def machine(lab: Lab) -> Machine:
    """Bob's, who is a member of the lab."""
    return world.paper_machine(lab.people.bob)


@pytest.fixture
def real_lab(authority: Authority, people: People) -> Lab:
    """The same, with everything signed."""
    return world.found(people)


@pytest.fixture
def real_machine(real_lab: Lab) -> Machine:
    """Bob's, with a certificate."""
    return world.join(real_lab.people.bob)

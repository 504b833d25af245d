# SPDX-License-Identifier: Apache-2.0
"""The world of the catalogue's tests; those in shared/ share one for a whole module."""

from __future__ import annotations

import pytest

from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from tests.registry.catalog.world import World, by_person, publish


@pytest.fixture
def world(kept_world: World) -> World:
    """A lab in good standing with a project, a data set and a node."""
    return kept_world


@pytest.fixture
def first(world: World) -> Checkpoint:
    """What is there, and Charlie, who has accepted what it is under."""
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    return publish(by_person(world))

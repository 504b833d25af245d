# SPDX-License-Identifier: Apache-2.0
"""The world of the catalogue's tests; those in shared/ share one for a whole module."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from tests.registry.catalog.world import World, build, by_person, publish
from tests.registry.people import invite
from tests.running import Authority


@pytest.fixture
def world(db: None, authority: Authority, tmp_path: Path) -> World:
    """A lab in good standing with a project, a data set and a node."""
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def first(world: World) -> Checkpoint:
    """What is there, and Charlie, who has accepted what it is under."""
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    return publish(by_person(world))

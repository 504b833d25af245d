# SPDX-License-Identifier: Apache-2.0
"""A lab in good standing with a published checkpoint, and three who decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.catalog.models import Checkpoint
from tests.keeping import kept
from tests.registry.catalog.world import World, built, by_person, publish
from tests.registry.moderation.court import Court, seated


def _held(folder: Path) -> tuple[World, Court, Checkpoint]:
    world = built(folder)
    return world, seated(), publish(by_person(world))


_kept = kept(_held)


@pytest.fixture
def world(_kept: tuple[World, Court, Checkpoint]) -> World:
    """Alice's lab with its project, and Bob's machine."""
    return _kept[0]


@pytest.fixture
def court(_kept: tuple[World, Court, Checkpoint]) -> Court:
    """Those who run the registry."""
    return _kept[1]


@pytest.fixture
def first(_kept: tuple[World, Court, Checkpoint]) -> Checkpoint:
    """The lab's checkpoint."""
    return _kept[2]

# SPDX-License-Identifier: Apache-2.0
"""A registry with a published checkpoint, and an empty place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from registry.catalog.models import Checkpoint
from tests.registry.backup import places
from tests.registry.backup.places import Place
from tests.registry.catalog.world import World, build, by_node, publish
from tests.registry.people import invite
from tests.running import Authority


@pytest.fixture
def world(transactional_db: None, authority: Authority, tmp_path: Path) -> World:
    """A lab in good standing; no blob is left from another test."""
    shutil.rmtree(Path(settings.DATA_DIR) / "blobs", ignore_errors=True)
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def checkpoint(world: World) -> Checkpoint:
    """One that a node published."""
    return publish(by_node(world))


@pytest.fixture
def place(transactional_db: None, tmp_path: Path) -> Iterator[Place]:
    """An empty one."""
    with places.empty(tmp_path / "elsewhere") as made:
        yield made

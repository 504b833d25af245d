# SPDX-License-Identifier: Apache-2.0
"""Alice and Bob, who write to the lab's project, and a folder of blobs of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.registry.catalog.world import World
from tests.registry.hub.xet.sending import Sender, granted


@pytest.fixture
def data_folder(world: World, tmp_path: Path, settings: Settings) -> Path:
    """Where this test's blobs are, after the world is made."""
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture
def alice(world: World, data_folder: Path) -> Sender:
    return granted(world.people.alice)


@pytest.fixture
def bob(world: World, data_folder: Path) -> Sender:
    return granted(world.people.bob)

# SPDX-License-Identifier: Apache-2.0
"""The world of the catalogue: a lab in good standing with a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.registry.catalog.world import World, build
from tests.registry.people import invite
from tests.running import Authority


@pytest.fixture
def world(db: None, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")

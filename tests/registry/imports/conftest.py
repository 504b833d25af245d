# SPDX-License-Identifier: Apache-2.0
"""The world of the catalogue: a lab in good standing with a project."""

from __future__ import annotations

import pytest

from tests.registry.catalog.world import World


@pytest.fixture
def world(kept_world: World) -> World:
    return kept_world

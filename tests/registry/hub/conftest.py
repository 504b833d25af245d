# SPDX-License-Identifier: Apache-2.0
"""A lab with a published project, as the Hub's clients would ask for it."""

from __future__ import annotations

import pytest

from tests.registry.catalog.world import World


@pytest.fixture
def world(kept_world: World) -> World:
    return kept_world

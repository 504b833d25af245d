# SPDX-License-Identifier: Apache-2.0
"""Each test here runs once for each version of the client, against a running registry.

Where the tests are not thorough, for the oldest and the newest.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clients.hub.stock import VERSIONS, Stock
from tests.needing import require
from tests.registry.catalog.world import World, build
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live
from tests.thorough import IS_THOROUGH


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture(params=VERSIONS if IS_THOROUGH else (VERSIONS[0], VERSIONS[-1]))
def stock(request: pytest.FixtureRequest, live: Live, tmp_path: Path) -> Stock:
    """Without a token."""
    found = Stock(version=request.param, url=live.url, home=tmp_path / "home")
    require(f"hub-{found.version}")
    found.home.mkdir()
    return found


@pytest.fixture
def alices(stock: Stock, world: World) -> Stock:
    """With a token that may publish; large files go by Xet, but for those of 0.36."""
    return replace(stock, token=secret_of(world.people.alice, "read", "publish"))

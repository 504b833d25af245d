# SPDX-License-Identifier: Apache-2.0
"""Bob's desk, with a trust folder of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.signing.commands.desk import Desk
from tests.signing.studio import Studio
from tests.signing.world import World


@pytest.fixture
def desk(
    tmp_path: Path,
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    """A desk on which nothing is trusted yet."""
    monkeypatch.setenv("ASSAY_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(folder=folder, world=world, printed=capsys)


@pytest.fixture(scope="module")
def studio() -> Studio:
    """Media with manifests, for a whole module: its keys take a while."""
    return Studio.open()


@pytest.fixture
def bench(desk: Desk, studio: Studio) -> Desk:
    """A desk at which the studio's registry is trusted."""
    found = replace(desk, world=studio.world)
    found.pin()
    return found

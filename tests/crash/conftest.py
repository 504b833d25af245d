# SPDX-License-Identifier: Apache-2.0
"""What is killed: forks of one process that has all of the registry loaded."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.crash.kept import Kept, keeping
from tests.crash.killing import Forks
from tests.needing import require
from tests.registry.catalog.world import World, build
from tests.registry.people import invite
from tests.running import Authority, free_port

REPLACED = ("DATABASE_URL", "BROKER_URL")


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A registry of its own: nothing of this test run's servers and names."""
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ASSAY_") and name not in REPLACED
    }
    yield kept | {"ASSAY_DATA_DIR": str(folder / "data"), "ASSAY_PORT": str(free_port())}
    shutil.rmtree(folder)


@pytest.fixture
def world(transactional_db: None, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def kept(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    with keeping(monkeypatch) as found:
        yield found


@pytest.fixture(scope="module")
def forks(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Forks]:
    require("strace")
    with django_db_blocker.unblock():
        running = Forks(tmp_path_factory.mktemp("forks"))
    with running:
        yield running


@pytest.fixture(scope="session")
def met(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """At how many points of what somebody wrote there was a kill, or an error; said at the end."""
    found: Counter[str] = Counter()
    yield found
    said = ", ".join(f"{count} {what}" for what, count in sorted(found.items()))
    request.config.get_terminal_writer().line(f"\npoints of a write that were met: {said}")

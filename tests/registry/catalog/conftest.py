# SPDX-License-Identifier: Apache-2.0
"""The world of the catalogue's tests; those in shared/ share one for a whole module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from tests.keeping import kept
from tests.registry.catalog.datacite import ACCOUNT, PASSWORD, PREFIX, DataCite, serving
from tests.registry.catalog.world import World, built, by_person, publish

world = kept(built)


@pytest.fixture
def first(world: World) -> Checkpoint:
    """What is there, and Charlie, who has accepted what it is under."""
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    return publish(by_person(world))


@pytest.fixture
def account(settings: Settings, tmp_path: Path) -> Path:
    """One with a DataCite that nobody can reach; the file of its password."""
    file = tmp_path / "datacite-password"
    file.write_text(f"{PASSWORD}\n")
    settings.DATACITE_URL = "http://127.0.0.1:9"
    settings.DATACITE_ACCOUNT, settings.DOI_PREFIX = ACCOUNT, PREFIX
    settings.DATACITE_PASSWORD_FILE = str(file)
    return file


@pytest.fixture
def remote(account: Path, settings: Settings) -> Iterator[DataCite]:
    """The same account, and who keeps it."""
    assert account.is_file()
    with serving() as made:
        settings.DATACITE_URL = made.url
        yield made

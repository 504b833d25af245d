# SPDX-License-Identifier: Apache-2.0
"""One world for a whole module, as making it takes a second: for tests that sign nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from registry.catalog.models import Checkpoint
from tests.registry.catalog.world import World, build, by_node, publish
from tests.registry.people import invite
from tests.registry.undone import undone
from tests.running import Authority


@pytest.fixture(scope="module")
def built_once(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """The module's world."""
    with undone(django_db_blocker):
        yield build(invite(), tmp_path_factory.mktemp("world") / "texts")


@pytest.fixture(scope="module")
def published_once(built_once: World, django_db_blocker: DjangoDbBlocker) -> Checkpoint:
    """A published checkpoint of a run, for a module that only reads."""
    with django_db_blocker.unblock():
        return publish(by_node(built_once))


@pytest.fixture
def db(built_once: World, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Instead of pytest-django's: a part of the module's transaction, undone after each test."""
    with undone(django_db_blocker):
        yield


@pytest.fixture
def world(db: None, built_once: World) -> World:
    """The module's world; what a test does to it is undone."""
    return built_once

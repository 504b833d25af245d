# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the site: something to show, and a browser to look at it with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.registry.people import invite
from tests.registry.pool.world import found, join
from tests.registry.site.world import Shown, show
from tests.registry.undone import undone
from tests.running import Authority


def _make() -> Shown:
    people = invite()
    return show(found(people), join(people.bob))


@pytest.fixture(scope="module")
def made_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, authority: Authority
) -> Iterator[Shown]:
    """Made once for a module: it takes a second, and pages only look at it."""
    with undone(django_db_blocker):
        yield _make()


@pytest.fixture
def shown(made_once: Shown, db: None) -> Shown:
    """A published checkpoint with its signed sample; what a test changes is undone."""
    return made_once


@pytest.fixture
def committed(transactional_db: None, authority: Authority) -> Shown:
    """The same, for tests in which another thread has to see it."""
    return _make()


@pytest.fixture
def stranger() -> Client:
    """A browser in which nobody is signed in."""
    return Client()

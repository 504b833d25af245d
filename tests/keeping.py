# SPDX-License-Identifier: Apache-2.0
"""One world for all tests that begin with it: made once, and what a test does to it is undone.

Making it (people, conduct, certificates, a project, a data set) takes as long as most tests that
use it. So it is made in a transaction that stays open from test to test, inside which pytest-django
opens and rolls back the test's own; the signer and the ledger's files go back to what they were
then (`Authority.stay`). Before a test that uses the database or the signer without it, or commits,
it is rolled back; the next one that asks for it has it made again.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.running import Authority

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

    from tests.registry.catalog.world import World

NAME = "kept_world"
TOUCHED_BY = {"authority", "django_db_setup"}


class Kept:
    """The world, while its transaction is open."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._blobs: tuple[Path, ...] = ()
        self._closing = ExitStack()

    @property
    def is_open(self) -> bool:
        """Whether there is one."""
        return self._world is not None

    @property
    def is_whole(self) -> bool:
        """Whether no test broke the connection, or removed its data set's files."""
        is_connected = connection.in_atomic_block and not connection.needs_rollback
        return self.is_open and is_connected and all(path.exists() for path in self._blobs)

    def open(self, blocker: DjangoDbBlocker, authority: Authority, folder: Path) -> None:
        """Makes it."""
        from registry.storage.files import path_of  # noqa: PLC0415 - a plugin is read before models
        from registry.storage.models import Blob  # noqa: PLC0415 - as above
        from tests.registry.catalog.world import build  # noqa: PLC0415 - as above
        from tests.registry.people import invite  # noqa: PLC0415 - as above

        assert not connection.in_atomic_block, "a module's own world is there already"
        with ExitStack() as making, blocker.unblock():
            making.callback(authority.leave)
            making.callback(_roll_back, _begin(), blocker)
            self._world = build(invite(), folder)
            self._blobs = tuple(path_of(sha256) for (sha256,) in Blob.objects.values_list("pk"))
            authority.stay()
            self._closing = making.pop_all()

    def close(self) -> None:
        """Everything is as if it had never been."""
        self._world = None
        self._closing.close()

    def copied(self) -> World:
        """A test may change the objects, too; but for the key, which cannot be changed."""
        assert self._world is not None
        return copy.deepcopy(self._world, {id(self._world.key): self._world.key})


def _begin() -> transaction.Atomic:
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # the stubs do not know it
    block.__enter__()
    return block


def _roll_back(block: transaction.Atomic, blocker: DjangoDbBlocker) -> None:
    with blocker.unblock():
        transaction.set_rollback(True)
        block.__exit__(None, None, None)


_kept = Kept()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture of a test that must not see it."""
    is_touched = TOUCHED_BY & _fixtures(item) or item.get_closest_marker("django_db")
    if _kept.is_open and is_touched and not (_is_wanted(item) and _kept.is_whole):
        _kept.close()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> None:
    """Before pytest-django opens the transaction of a test that wants it."""
    if fixturedef.argname == "_django_db_helper" and _is_wanted(request.node):
        request.getfixturevalue("_kept_until_the_end")
        if not _kept.is_open and _is_at_home():
            blocker = request.getfixturevalue("django_db_blocker")
            folder = request.getfixturevalue("tmp_path_factory").mktemp("kept") / "texts"
            _kept.open(blocker, request.getfixturevalue("authority"), folder)


@pytest.fixture(scope="session")
def _kept_until_the_end(django_db_setup: None, authority: Authority) -> Iterator[None]:
    yield
    if _kept.is_open:
        _kept.close()


@pytest.fixture
def kept_world(db: None, authority: Authority, tmp_path: Path) -> World:
    """A lab in good standing with a project, a data set and a node."""
    from tests.registry.catalog.world import build  # noqa: PLC0415 - as above
    from tests.registry.people import invite  # noqa: PLC0415 - as above

    return _kept.copied() if _kept.is_open else build(invite(), tmp_path / "texts")


def _is_wanted(item: pytest.Item) -> bool:
    """Where a test commits, others would see what it did."""
    marker = item.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction", False)
    return NAME in _fixtures(item) and not commits and "transactional_db" not in _fixtures(item)


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def _is_at_home() -> bool:
    """Whether blobs are where all tests have them that do not say otherwise."""
    return str(settings.DATA_DIR) == os.environ["ASSAY_DATA_DIR"] and not settings.BUCKET

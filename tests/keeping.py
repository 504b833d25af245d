# SPDX-License-Identifier: Apache-2.0
"""What many tests begin with is made once for all in a row that want it, and then undone.

Making it (people, conduct, certificates, a project, a checkpoint) takes longer than most tests that
use it: `left = kept(make)` is a fixture of what `make` returns. It is made in a transaction that
stays open from test to test, inside which pytest-django opens and rolls back the test's own; the
signer and the ledger's files go back to what they were then (`Authority.stay`), and blobs that a
test removed are put back. Before a test that uses the database or the signer without it, or
commits, it is rolled back; the next one that asks for it has it made again.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.running import Authority

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

T = TypeVar("T")
Make: TypeAlias = Callable[[Path], T]
"""Makes it; in the folder are files that it needs."""
TOUCHED_BY = {"authority", "django_db_setup"}
_makes: dict[object, Make[Any]] = {}
"""By the function behind each fixture."""


class Kept:
    """What is kept, while its transaction is open; one thing at a time."""

    def __init__(self) -> None:
        self._made_by: Make[Any] | None = None
        self._made: object = None
        self._blobs: dict[Path, bytes] = {}
        self._closing = ExitStack()

    @property
    def is_open(self) -> bool:
        """Whether there is anything."""
        return self._made_by is not None

    def is_of(self, make: Make[Any] | None) -> bool:
        """Whether this is what is kept, and no test broke the connection."""
        is_connected = connection.in_atomic_block and not connection.needs_rollback
        return self.is_open and self._made_by is make and is_connected

    def open(
        self, make: Make[Any], blocker: DjangoDbBlocker, authority: Authority, folder: Path
    ) -> None:
        """Makes it."""
        from registry.storage.files import path_of  # noqa: PLC0415 - a plugin is read before models
        from registry.storage.models import Blob  # noqa: PLC0415 - as above

        assert not connection.in_atomic_block, "a module's own world is there already"
        with ExitStack() as making, blocker.unblock():
            making.callback(authority.leave)
            making.callback(_roll_back, _begin(), blocker)
            self._made = make(folder)
            paths = [path_of(sha256) for (sha256,) in Blob.objects.values_list("pk")]
            self._blobs = {path: path.read_bytes() for path in paths}
            authority.stay()
            self._made_by, self._closing = make, making.pop_all()

    def put_back(self) -> None:
        """The files of blobs: no transaction brings those back that a test removed."""
        for path, content in self._blobs.items():
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def close(self) -> None:
        """Everything is as if it had never been."""
        self._made_by, self._made, self._blobs = None, None, {}
        self._closing.close()

    def copied(self) -> object:
        """A test may change the objects, too."""
        return copy.deepcopy(self._made)


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


def kept(make: Make[T]) -> Callable[..., T]:
    """A fixture."""

    def fixture(db: None, authority: Authority, tmp_path: Path) -> T:
        if not _kept.is_of(make):
            return make(tmp_path)
        return cast("T", _kept.copied())  # by is_of

    _makes[fixture] = make
    return pytest.fixture(fixture)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture of a test that must not see it."""
    if not _kept.is_open:
        return
    if _kept.is_of(_wanted(item)):
        _kept.put_back()
    elif TOUCHED_BY & set(_names(item)) or item.get_closest_marker("django_db"):
        _kept.close()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> None:
    """Before pytest-django opens the transaction of a test that wants it."""
    if fixturedef.argname != "_django_db_helper" or (make := _wanted(request.node)) is None:
        return
    request.getfixturevalue("_kept_until_the_end")
    if not _kept.is_open and _is_at_home():
        blocker = request.getfixturevalue("django_db_blocker")
        folder = request.getfixturevalue("tmp_path_factory").mktemp("kept")
        _kept.open(make, blocker, request.getfixturevalue("authority"), folder)


@pytest.fixture(scope="session")
def _kept_until_the_end(django_db_setup: None, authority: Authority) -> Iterator[None]:
    yield
    if _kept.is_open:
        _kept.close()


def _wanted(item: pytest.Item) -> Make[Any] | None:
    """What the test has kept for it. Where a test commits, others would see what it did."""
    marker = item.get_closest_marker("django_db")
    if marker is not None and marker.kwargs.get("transaction", False):
        return None
    if "transactional_db" in _names(item):
        return None
    fixtures = getattr(item, "_fixtureinfo", None)
    found = fixtures.name2fixturedefs.values() if fixtures is not None else ()
    return next((_makes[each[-1].func] for each in found if each[-1].func in _makes), None)


def _names(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


def _is_at_home() -> bool:
    """Whether blobs are where all tests have them that do not say otherwise."""
    return str(settings.DATA_DIR) == os.environ["ASSAY_DATA_DIR"] and not settings.BUCKET

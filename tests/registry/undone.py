# SPDX-License-Identifier: Apache-2.0
"""Rows that the tests of a whole module share, with what each test does to them undone after it.

Signing takes a signer that starts anew after every test which grew the ledger: a second each time.
A module whose tests only need something signed to be there makes it once, and overrides the fixture
`db` (by that name pytest-django knows that the tests need a database):

    @pytest.fixture(scope="module")
    def made_once(django_db_setup, django_db_blocker, authority):
        with undone(django_db_blocker):
            yield make()

    @pytest.fixture
    def db(made_once, django_db_blocker):
        with undone(django_db_blocker):
            yield
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django import DjangoDbBlocker


@contextmanager
def undone(blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction that is rolled back, as a TestCase's is: durable blocks inside are let be."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # the stubs do not know it
    with blocker.unblock(), block:
        yield
        transaction.set_rollback(True)

# SPDX-License-Identifier: Apache-2.0
"""Whoever leaves waits for what is being kept in their name, and what comes later is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest
from django.db import connections, transaction

from registry.accounts import erasing, staying
from registry.accounts.errors import TokenRevoked
from registry.accounts.models import Scope
from tests.registry.people import People, secret_of

HELD_SECONDS = 0.5
pytestmark = pytest.mark.django_db(transaction=True)


def close(name: str) -> None:
    try:
        erasing.close(name)
    finally:
        connections.close_all()


@pytest.mark.parametrize("way", ["person", "bearer"])
def test_a_leave_waits_for_the_transaction(people: People, way: str) -> None:
    bearer = f"Bearer {secret_of(people.charlie, Scope.PUBLISH)}"
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            if way == "person":
                assert staying.stays(people.charlie)
            else:
                staying.hold_bearer(bearer)
            leaving = other.submit(close, "charlie")
            with pytest.raises(NotYet):
                leaving.result(HELD_SECONDS)
        leaving.result()
    assert not staying.stays(people.charlie)
    with pytest.raises(TokenRevoked, match="revoked meanwhile"):
        staying.hold_bearer(bearer)


def test_a_token_that_is_none_holds_nobody(people: People) -> None:
    for header in (None, "", "Bearer", "Bearer assay_nothing"):
        with pytest.raises(TokenRevoked):
            staying.hold_bearer(header)


def test_only_who_left_has_left(people: People) -> None:
    for name in ("alice", "lab", "nobody", erasing.nobody().name):
        assert erasing.left(name) is None

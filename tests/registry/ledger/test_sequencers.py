# SPDX-License-Identifier: Apache-2.0
"""Several sequencers at once: one signs at a time, and a stopped one does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from registry.ledger import queries, services
from registry.ledger.errors import LedgerBusy
from registry.ledger.models import Entry, TreeHead
from tests.registry.ledger.statements import record
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)


def record_and_integrate(numbers: range) -> None:
    try:
        for number in numbers:
            (statement,) = record(number)
            services.integrate()
            assert queries.is_included(statement)
    finally:
        connections.close_all()


@contextmanager
def somebody_else_holds_the_lock() -> Iterator[None]:
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [services.SEQUENCER_LOCK])
        yield


def test_many_at_once_leave_no_gap_and_no_fork(authority: Authority) -> None:
    with ThreadPoolExecutor(4) as pool:
        parts = [range(start, start + 6) for start in (0, 10, 20, 30)]
        list(pool.map(record_and_integrate, parts))
    indexes = list(Entry.objects.order_by("index").values_list("index", flat=True))
    assert indexes == list(range(24))
    heads = TreeHead.objects.order_by("size")
    for head in heads:
        assert bytes(head.root) == queries.root(head.size)
    assert queries.tree_head().size == 24


def test_whoever_waits_too_long_is_told_and_its_entry_stays(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    (statement,) = record(1)
    with monkeypatch.context() as patch, somebody_else_holds_the_lock():
        patch.setattr(services, "SEQUENCER_WAIT", "100ms")
        with pytest.raises(LedgerBusy, match="held"):
            services.integrate()
    assert queries.has_pending()
    services.integrate()
    assert queries.is_included(statement)


def test_a_connection_that_dies_takes_its_lock_along(authority: Authority) -> None:
    record(1)
    with services.sequencer():
        connection.close()  # as a killed process's
    head = services.integrate()
    assert head is not None


def test_a_session_that_cannot_unlock_is_ended_and_given_back_to_no_pool(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.ensure_connection()
    session = connection.connection
    monkeypatch.setattr(connection, "close", lambda: None)  # as a pool's: the session lives on
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [services.SEQUENCER_LOCK])
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", unusable)
        services._release()
    assert session.closed
    monkeypatch.undo()
    connection.close()
    with somebody_else_holds_the_lock():
        pass


def unusable() -> object:
    raise OperationalError("the connection is in trouble")


def test_the_session_waits_for_other_locks_as_before(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(1)
    services.integrate()
    monkeypatch.setattr(services, "SEQUENCER_WAIT", "100ms")
    with somebody_else_holds_the_lock(), pytest.raises(LedgerBusy):
        services.integrate()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)

# SPDX-License-Identifier: Apache-2.0
"""Many machines at the same moment: one gets the run, whatever the order of their statements."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connection, connections
from django.utils import timezone

from registry.accounts.models import Node
from registry.catalog.content import formats
from registry.pool import services
from registry.pool.models import Lease, LeaseState, Run, RunState
from tests.elsewhere import elsewhere
from tests.registry.people import People
from tests.registry.pool.world import STEPS, Lab, on_paper, paper_machine, submission

CALLERS = 50
AT_ONCE = 25  # connections that PostgreSQL has to spare beside the suite's own

T = TypeVar("T")


def at_the_same_moment(calls: list[Callable[[], T]]) -> list[T]:
    """Runs all calls in rounds of AT_ONCE, each on its own connection."""
    assert len(calls) % AT_ONCE == 0
    start = threading.Barrier(AT_ONCE)

    def go(call: Callable[[], T]) -> T:
        try:
            start.wait(timeout=120)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(go, calls))


def nodes(lab: Lab, count: int) -> list[Node]:
    """Machines of Bob's, for which a claim needs no certificate."""
    return [
        Node.objects.create(
            name=f"machine {number}",
            owner=lab.people.bob,
            public_key_sha256=uuid.uuid4().hex * 2,
        )
        for number in range(count)
    ]


def claimer(node: Node) -> Callable[[], Lease | None]:
    return lambda: services.claim(node, now=timezone.now())


def test_of_fifty_claims_at_once_one_wins(transactional_db: None, people: People) -> None:
    lab = on_paper(people)
    claimed = at_the_same_moment([claimer(node) for node in nodes(lab, CALLERS)])
    winners = [lease for lease in claimed if lease is not None]
    assert len(winners) == 1
    assert Lease.objects.get() == winners[0]
    assert Run.objects.get().state == RunState.RUNNING


def test_a_run_that_was_lost_is_taken_over_once(transactional_db: None, people: People) -> None:
    lab = on_paper(people)
    killed, *machines = nodes(lab, CALLERS + 1)
    services.claim(killed, now=timezone.now())
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    claimed = at_the_same_moment([claimer(node) for node in machines])
    winners = [lease for lease in claimed if lease is not None]
    assert [lease.fence for lease in winners] == [2]
    assert Lease.objects.filter(state=LeaseState.LOST).count() == 1


def test_a_heartbeat_does_not_wait_until_files_are_read(
    transactional_db: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, machine = on_paper(people), paper_machine(people.bob)
    lease = services.claim(machine.node, now=timezone.now())
    assert lease is not None
    beats: list[str] = []

    def beat() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        kept = services.heartbeat(lease.id, by=people.bob, step=1, now=timezone.now())
        beats.append(kept.state)

    check = formats.check

    def read(name: str, path: Path) -> formats.Accepted:
        elsewhere(beat)
        return check(name, path)

    monkeypatch.setattr(formats, "check", read)
    asked = submission(lab, machine, STEPS)
    answer = machine.client.post(f"/api/v1/leases/{lease.id}/checkpoints", asked)
    assert answer.json()["code"] == "run-statement-refused"  # for it is a machine on paper
    assert beats == [LeaseState.ACTIVE] * len(asked["manifest"]["files"])


def test_one_node_that_asks_many_times_holds_one_lease(
    transactional_db: None, people: People
) -> None:
    lab = on_paper(people)
    (node,) = nodes(lab, 1)
    at_the_same_moment([claimer(node)] * CALLERS)
    assert Lease.objects.filter(state=LeaseState.ACTIVE).count() <= 1

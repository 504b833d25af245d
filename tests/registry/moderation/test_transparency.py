# SPDX-License-Identifier: Apache-2.0
"""The public account: counts by clause and outcome, and nobody's name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from registry.catalog.models import Checkpoint
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from registry.moderation import transparency
from registry.moderation.models import Case, Decision
from tests.registry.catalog.world import FILES, World, by_person, publish
from tests.registry.moderation.court import Court, decided, dismissal, reported, sanction

pytestmark = pytest.mark.django_db


def test_counts_by_clause_and_outcome(world: World, court: Court, first: Checkpoint) -> None:
    case = reported(first.full_name, world.people.charlie)
    reported(first.full_name, court.frida, clause=4)
    decided(case, court, sanction(case))
    other = reported("bob", world.people.charlie)
    decided(other, court, dismissal())
    reported("charlie", world.people.bob, clause=4)
    Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - timedelta(hours=5))
    Case.objects.filter(pk=other.pk).update(opened_at=timezone.now() - timedelta(hours=2))
    year = transparency.of(timezone.now().year)
    policy = world.conduct.policy_id
    assert year.clauses == [(f"{policy}#coc:1.1", 2, 1), (f"{policy}#coc:2.1", 2, 0)]
    assert (year.cases, year.dismissed, year.against) == (3, 1, {"checkpoint": 1})
    assert (year.appeals, year.upheld, year.lifted, year.ordered) == (0, 0, 0, 0)
    assert year.median_hours == 3.5


def test_what_a_court_ordered_is_counted_apart(world: World, first: Checkpoint) -> None:
    del first
    another = publish(by_person(world, "second", {**FILES, "notes.md": b"More."}))
    takedowns.take_down_checkpoint(another, Order(reason="A court.", by="system"))
    year = transparency.of(timezone.now().year)
    assert (year.ordered, year.against, year.median_hours) == (1, {}, None)


def test_the_account_begins_with_a_court_if_nobody_reported(first: Checkpoint) -> None:
    now = timezone.now()
    takedowns.take_down_checkpoint(first, Order(reason="A court.", by="system"))
    Checkpoint.objects.update(taken_down_at=now - timedelta(days=366))
    assert transparency.years(now=now)[-1] == (now - timedelta(days=366)).year
    assert transparency.of(transparency.years(now=now)[-1]).ordered == 1


def test_everybody_reads_it_and_no_name(world: World, court: Court, first: Checkpoint) -> None:
    case = reported(first.full_name, world.people.charlie)
    decided(case, court, sanction(case))
    for address in ("/transparency", "/api/v1/transparency"):
        answer = Client().get(address)
        assert answer.status_code == 200
        said = answer.content.decode()
        assert f"{world.conduct.policy_id}#coc:1.1" in said
        for name in ("alice", "charlie", "lab/small", "dora", "emil"):
            assert name not in said


def test_of_years_in_which_something_was_reported(world: World, first: Checkpoint) -> None:
    now = timezone.now()
    assert transparency.years(now=now) == (now.year,)
    case = reported(first.full_name, world.people.charlie)
    long_ago = now.replace(year=now.year - 2, day=1)
    case.reports.update(reported_at=long_ago)
    assert transparency.years(now=now) == (now.year, now.year - 1, now.year - 2)
    before = Client().get("/api/v1/transparency", {"year": now.year - 2}).json()
    assert sum(before["reports"].values()) == 1
    assert not Decision.objects.exists()
    for address in ("/transparency", "/api/v1/transparency"):
        assert Client().get(address, {"year": now.year + 1}).status_code == 404
        assert Client().get(address, {"year": "1e9"}).status_code == 404

# SPDX-License-Identifier: Apache-2.0
"""Losses come from whoever holds the lease, while they hold it, and followers hear of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from assay.signing.errors import InvalidDocument
from registry.events.models import Event
from registry.pool import leases, losses, queries, services
from registry.pool.errors import LeaseLost
from registry.pool.models import Lease, LossPoint, Run
from tests.registry.pool.world import STEPS, Lab, Machine


def point(step: int, **other: object) -> dict[str, Any]:
    return {
        "step": step,
        "bytes_seen": step * 4096,
        "train": "2.5000",
        "seconds": "1.5",
        **other,
    }


def report(lab: Lab, machine: Machine, lease: Lease, *points: dict[str, Any]) -> None:
    parsed = services.parse_points({"points": list(points)})
    services.report(lease.id, parsed, by=machine.node.owner, now=timezone.now())


@pytest.fixture
def lease(lab: Lab, machine: Machine) -> Lease:
    claimed = services.claim(machine.node, now=timezone.now())
    assert claimed is not None
    return claimed


def told(lab: Lab) -> list[dict[str, Any]]:
    events = Event.objects.filter(topic=lab.run.topic, kind="loss").order_by("id")
    return [event.data for event in events]


def test_points_are_kept_and_told(lab: Lab, machine: Machine, lease: Lease) -> None:
    report(lab, machine, lease, point(1), point(2, validation="2.6"))
    expected = [
        {"step": 1, "bytes_seen": 4096, "train": "2.5", "validation": None, "seconds": "1.5"},
        {"step": 2, "bytes_seen": 8192, "train": "2.5", "validation": "2.6", "seconds": "1.5"},
    ]
    assert told(lab) == list(queries.shown_losses(lab.run)) == expected
    assert Run.objects.get().step == Lease.objects.get().step == 2
    assert queries.validations(lab.run) == {2: Decimal("2.6")}


def test_the_same_report_again_changes_nothing(lab: Lab, machine: Machine, lease: Lease) -> None:
    for _ in range(2):
        report(lab, machine, lease, point(1), point(2))
    assert LossPoint.objects.count() == 2


def test_a_step_that_is_trained_again_has_its_last_loss(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    report(lab, machine, lease, point(3, train="2.9"))
    services.release(lease.id, by=lab.people.bob, now=timezone.now())
    second = services.claim(machine.node, now=timezone.now())
    assert second is not None
    report(lab, machine, second, point(3, train="2.8"))
    assert queries.shown_losses(lab.run)[0]["train"] == "2.8"


def test_a_report_without_points_is_no_report(lab: Lab, machine: Machine, lease: Lease) -> None:
    report(lab, machine, lease)
    assert LossPoint.objects.count() == 0


def test_after_the_lease_ran_out_nothing_is_taken(lab: Lab, machine: Machine, lease: Lease) -> None:
    late = timezone.now() + timedelta(seconds=leases.LEASE_SECONDS + 1)
    with pytest.raises(LeaseLost, match="ran out"):
        services.report(
            lease.id, services.parse_points({"points": [point(1)]}), by=lab.people.bob, now=late
        )
    assert LossPoint.objects.count() == 0
    assert told(lab) == []


def test_of_a_long_report_followers_hear_some_and_every_validation(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    run = Run.objects.get()
    run.steps = 1000
    run.save()
    points = [
        point(step, **({"validation": "2.6"} if step % 100 == 0 else {})) for step in range(1, 1001)
    ]
    report(lab, machine, lease, *points)
    steps = [data["step"] for data in told(lab)]
    assert len(steps) <= 2 * losses.MAX_EVENTS
    assert steps == sorted(steps)
    assert steps[-1] == 1000
    assert set(range(100, 1001, 100)) <= set(steps)
    assert LossPoint.objects.count() == 1000
    shown = queries.shown_losses(lab.run, at_most=50)
    thinned = {*range(20, 1001, 20), *range(100, 1001, 100)}
    assert [row["step"] for row in shown] == sorted(thinned)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"points": [point(1), point(1)]}, "points[1].step"),
        ({"points": [point(0)]}, "points[0].step"),
        ({"points": [point(1, train="nan")]}, "points[0].train"),
        ({"points": [point(1, train=2.5)]}, "points[0].train"),
        ({"points": [point(1, validation="1000001")]}, "points[0].validation"),
        ({"points": [point(1, seconds="-1")]}, "points[0].seconds"),
        ({"points": [point(1, bytes_seen=-1)]}, "points[0].bytes_seen"),
        ({"points": [point(1, loss="1")]}, "points[0].loss"),
        ({"points": [1]}, "points[0].point"),
        ({"points": [point(1)] * 1001}, "points"),
        ({"points": {}}, "points"),
        ({"points": [], "step": 1}, "step"),
    ],
)
def test_a_malformed_report_is_refused_by_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        services.parse_points(wrong)
    assert refusal.value.field.replace("'", "") == field


def test_a_step_beyond_the_recipes_is_refused(lab: Lab, machine: Machine, lease: Lease) -> None:
    with pytest.raises(InvalidDocument, match="at most the run's 40 steps"):
        report(lab, machine, lease, point(1), point(STEPS + 1))
    assert LossPoint.objects.count() == 0

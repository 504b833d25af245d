# SPDX-License-Identifier: Apache-2.0
"""Who may not publish is refused before anything of the checkpoint is looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from registry.accounts import services as accounts
from registry.pool import services
from registry.pool.models import Lease
from tests.registry.pool.world import Lab, Machine, paper_machine, refused, submission


@pytest.fixture
def lease(lab: Lab, machine: Machine) -> Lease:
    claimed = services.claim(machine.node, now=timezone.now())
    assert claimed is not None
    return claimed


def test_a_step_beyond_the_recipes_is_refused(lab: Lab, machine: Machine, lease: Lease) -> None:
    assert refused(machine, lease, submission(lab, machine, 41)) == (422, "invalid-document")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"step": 0},
        {"step": "20"},
        {"manifest": []},
        {"statement": {"payload": ""}},
        {"extra": 1},
    ],
)
def test_a_malformed_submission_is_refused(
    lab: Lab, machine: Machine, lease: Lease, wrong: dict[str, Any]
) -> None:
    asked = {**submission(lab, machine, 20), **wrong}
    assert refused(machine, lease, asked) == (422, "invalid-document")


def test_an_expired_lease_publishes_nothing(lab: Lab, machine: Machine, lease: Lease) -> None:
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(machine, lease, submission(lab, machine, 20)) == (409, "lease-lost")


def test_the_lease_before_the_newest_publishes_nothing(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert services.claim(paper_machine(lab.people.alice).node, now=timezone.now()) is not None
    assert refused(machine, lease, submission(lab, machine, 20)) == (409, "lease-lost")


def test_a_lease_of_somebody_else_is_as_good_as_none(
    lab: Lab, machine: Machine, lease: Lease
) -> None:
    hers = paper_machine(lab.people.alice)
    assert refused(hers, lease, submission(lab, hers, 20)) == (404, "not-found")


def test_a_withdrawn_acceptance_publishes_nothing(lab: Lab, machine: Machine, lease: Lease) -> None:
    lab.withdraw(lab.people.bob)
    asked = submission(lab, machine, 20)
    assert refused(machine, lease, asked) == (403, "conduct-not-accepted")


def test_a_member_who_left_publishes_nothing(lab: Lab, machine: Machine, lease: Lease) -> None:
    accounts.remove_member(lab.people.lab, lab.people.bob, by=lab.people.alice)
    assert refused(machine, lease, submission(lab, machine, 20)) == (403, "may-not-publish")

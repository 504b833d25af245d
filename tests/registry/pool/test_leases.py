# SPDX-License-Identifier: Apache-2.0
"""A lease: claimed by one, kept by heartbeats, given back, completed, or lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from assay.signing.errors import InvalidDocument
from registry.accounts import services as accounts
from registry.audit.models import AuditRow
from registry.catalog.models import State
from registry.conduct.errors import NotAccepted
from registry.events.models import Event
from registry.pool import leases, queries, services, tasks
from registry.pool.errors import LeaseLost, RunUnfinished
from registry.pool.models import Lease, LeaseState, Run, RunState
from tests.registry.pool.world import (
    RECIPE,
    STEPS,
    Lab,
    Machine,
    active_lease,
    paper_checkpoint,
    paper_machine,
)

LATER = timedelta(seconds=leases.LEASE_SECONDS + 1)


def claim(machine: Machine) -> Lease:
    lease = services.claim(machine.node, now=timezone.now())
    assert lease is not None
    return lease


def run_out(lease: Lease) -> None:
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_an_open_run_is_leased_and_runs(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    assert (lease.run_id, lease.state, lease.fence) == (lab.run.id, LeaseState.ACTIVE, 1)
    assert Run.objects.get().state == RunState.RUNNING
    assert AuditRow.objects.filter(action="lease.claim").count() == 1
    kinds = list(Event.objects.filter(topic=lab.run.topic).values_list("kind", flat=True))
    assert kinds == ["run", "lease", "run"]


def test_followers_are_not_told_a_leases_id(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    told = Event.objects.get(kind="lease").data
    assert "id" not in told
    assert str(lease.id) not in str(told)


def test_a_leased_run_is_leased_to_nobody_else(lab: Lab, machine: Machine) -> None:
    claim(machine)
    assert services.claim(paper_machine(lab.people.alice).node, now=timezone.now()) is None


def test_a_strangers_node_finds_nothing_to_do(lab: Lab) -> None:
    lab.accept(lab.people.charlie)
    assert services.claim(paper_machine(lab.people.charlie).node, now=timezone.now()) is None
    assert Lease.objects.count() == 0


def test_a_member_who_left_finds_nothing_to_do(lab: Lab, machine: Machine) -> None:
    accounts.remove_member(lab.people.lab, lab.people.bob, by=lab.people.alice)
    assert services.claim(machine.node, now=timezone.now()) is None


def test_without_a_live_acceptance_nothing_is_leased(lab: Lab, machine: Machine) -> None:
    lab.withdraw(lab.people.bob)
    with pytest.raises(NotAccepted) as refusal:
        services.claim(machine.node, now=timezone.now())
    said = str(refusal.value.detail)
    assert f"bob to have accepted {lab.version.title}, version 1.0, found none" in said
    assert "http://localhost:8000/conduct/community-language-models/1.0" in said
    assert Lease.objects.count() == 0
    assert Run.objects.get().state == RunState.OPEN


def test_a_lease_ends_with_its_owners_standing(lab: Lab, machine: Machine) -> None:
    lease, now = claim(machine), timezone.now()
    lab.withdraw(lab.people.bob)
    beaten = services.heartbeat(lease.id, by=lab.people.bob, step=7, now=now)
    assert beaten.state == LeaseState.RELEASED
    assert Run.objects.get().state == RunState.OPEN
    assert services.heartbeat(lease.id, by=lab.people.bob, step=8, now=now).state != "active"


def test_the_oldest_open_run_comes_first(lab: Lab, machine: Machine) -> None:
    services.create_run(lab.project, RECIPE, lab.dataset, lab.people.alice)
    assert claim(machine).run_id == lab.run.id


def test_a_heartbeat_extends_the_lease(lab: Lab, machine: Machine) -> None:
    lease, now = claim(machine), timezone.now() + timedelta(seconds=20)
    kept = services.heartbeat(lease.id, by=lab.people.bob, step=7, now=now)
    assert kept.expires_at == now + timedelta(seconds=leases.LEASE_SECONDS)
    assert Lease.objects.get().step == Run.objects.get().step == 7


def test_a_heartbeat_never_takes_a_step_back(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    for step in (9, 4):
        services.heartbeat(lease.id, by=lab.people.bob, step=step, now=timezone.now())
    assert Lease.objects.get().step == 9


def test_a_step_beyond_the_recipes_is_refused(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    with pytest.raises(InvalidDocument, match="at most the run's 40 steps"):
        services.heartbeat(lease.id, by=lab.people.bob, step=STEPS + 1, now=timezone.now())
    assert Lease.objects.get().step == 0


def test_a_late_heartbeat_revives_nothing(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    late = services.heartbeat(lease.id, by=lab.people.bob, step=5, now=timezone.now() + LATER)
    assert (late.expires_at, late.step) == (lease.expires_at, 0)


def test_the_sweep_marks_what_ran_out_as_lost_and_opens_the_run(lab: Lab, machine: Machine) -> None:
    run_out(claim(machine))
    tasks.sweep()
    lost = Lease.objects.get()
    assert (lost.state, Run.objects.get().state) == (LeaseState.LOST, RunState.OPEN)
    assert lost.ended_at is not None
    assert AuditRow.objects.filter(action="lease.lose", actor="system").count() == 1
    assert services.expire(now=timezone.now() + LATER) == 0


def test_the_next_claim_need_not_wait_for_the_sweep(lab: Lab, machine: Machine) -> None:
    first = claim(machine)
    run_out(first)
    second = services.claim(paper_machine(lab.people.alice).node, now=timezone.now())
    assert second is not None
    assert (second.fence, second.run_id) == (2, first.run_id)


def test_a_node_that_asks_again_has_forgotten_its_lease(lab: Lab, machine: Machine) -> None:
    first, second = claim(machine), claim(machine)
    first.refresh_from_db()
    assert (first.state, second.state) == (LeaseState.LOST, LeaseState.ACTIVE)
    assert second.fence == 2


def test_a_released_run_is_open_at_once(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    services.release(lease.id, by=lab.people.bob, now=timezone.now())
    assert Lease.objects.get().state == LeaseState.RELEASED
    assert Run.objects.get().state == RunState.OPEN


def test_what_has_ended_cannot_be_ended_again(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    services.release(lease.id, by=lab.people.bob, now=timezone.now())
    with pytest.raises(LeaseLost, match="one that is released"):
        services.release(lease.id, by=lab.people.bob, now=timezone.now())
    with pytest.raises(LeaseLost):
        services.complete(lease.id, by=lab.people.bob, now=timezone.now())


def test_a_published_checkpoint_is_where_the_next_lease_goes_on(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    paper_checkpoint(lab, 20)
    services.heartbeat(lease.id, by=lab.people.bob, step=33, now=timezone.now())
    run_out(lease)
    again = services.claim(paper_machine(lab.people.alice).node, now=timezone.now())
    assert again is not None
    assert (again.fence, again.step) == (2, 20)
    assert Run.objects.get().step == 20


def test_a_run_whose_checkpoint_is_underway_waits(lab: Lab, machine: Machine) -> None:
    checkpoint = paper_checkpoint(lab, 20, state=State.SIGNED)
    assert services.claim(machine.node, now=timezone.now()) is None
    checkpoint.state, checkpoint.published_at = State.PUBLISHED, timezone.now()
    checkpoint.save()
    assert claim(machine).step == 20


def test_a_run_is_complete_with_the_checkpoint_of_its_last_step(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    paper_checkpoint(lab, STEPS)
    services.complete(lease.id, by=lab.people.bob, now=timezone.now())
    run = Run.objects.get()
    assert (run.state, Lease.objects.get().state) == (RunState.COMPLETED, LeaseState.COMPLETED)
    assert run.ended_at is not None
    assert services.claim(machine.node, now=timezone.now()) is None


@pytest.mark.parametrize("published_step", [None, 20])
def test_a_run_is_not_complete_before_that(
    lab: Lab, machine: Machine, published_step: int | None
) -> None:
    lease = claim(machine)
    if published_step is not None:
        paper_checkpoint(lab, published_step)
    services.heartbeat(lease.id, by=lab.people.bob, step=STEPS, now=timezone.now())
    with pytest.raises(RunUnfinished, match="published checkpoint of step 40"):
        services.complete(lease.id, by=lab.people.bob, now=timezone.now())
    assert Run.objects.get().state == RunState.RUNNING


def test_the_database_itself_keeps_one_active_lease(lab: Lab, machine: Machine) -> None:
    lease = claim(machine)
    assert active_lease(lab.run) == lease
    assert queries.has_lease(machine.node)
    names = {constraint.name for constraint in Lease._meta.constraints}
    assert {"pool_lease_one_active_for_a_run", "pool_lease_fence"} <= names

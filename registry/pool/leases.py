# SPDX-License-Identifier: Apache-2.0
"""A machine's claim on a run: taken, kept by heartbeats, given back, completed, or lost.

Locks are taken in one order everywhere, the run's row before its lease's, and the journal's (audit,
events) last. A lease that has run out is lost to its holder at that moment, whether or not the
sweep has come by; only the next claim needs the row to say so.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from assay.signing.errors import InvalidDocument
from registry.accounts import queries as accounts
from registry.accounts import services as accounts_services
from registry.accounts import suspensions
from registry.accounts.queries import SYSTEM, Node, User
from registry.audit import services as audit
from registry.catalog import queries as catalog
from registry.conduct import standing
from registry.events import services as events

from . import queries, runs
from .errors import LeaseLost, RunUnfinished
from .models import Lease, LeaseState, Run, RunState

# A node beats four times in this (trainers/reporting.py), so that it survives three lost beats; a
# killed one costs its run half a minute.
LEASE_SECONDS = 30
# Runs that one request for work looks at; behind these, others wait their turn.
MAX_CANDIDATES = 100


def claim(node: Node, *, now: datetime) -> Lease | None:
    """The oldest open run that the node's owner may work on; None when there is nothing to do.

    Raises NotAccepted if all that could be done is under rules which the owner has not accepted,
    and NodeExpelled.
    A node that asks again has forgotten its earlier lease (it was killed), which ends here.
    """
    expire(now=now)
    _forget_earlier(node, now=now)
    candidates = _candidates(node)
    if not candidates:
        return None
    try:
        with transaction.atomic():
            run = (
                _open_runs()
                .filter(pk__in=candidates)
                .select_for_update(skip_locked=True, of=("self",))
                .first()
            )
            if run is None:
                return None
            suspensions.hold_admitted(node)
            standing.hold_for(node.owner.namespace, run.conduct)
            return _lease(run, node, now=now)
    except IntegrityError:  # the same node asks twice at this moment: one of the two has a lease
        return None


def heartbeat(lease_id: uuid.UUID, *, by: User, step: int, now: datetime) -> Lease:
    """Keep the lease for another while, if it is still held; a lost one is returned as it is.

    So is one whose owner is no longer in good standing, or whose machine was expelled: it ends
    here, and others take the run.
    """
    with transaction.atomic():
        try:
            lease = held(lease_id, by=by, now=now)
        except LeaseLost:
            return queries.lease(lease_id, owner=by)
        note_step(lease, step)
        is_good = standing.is_good(lease.node.owner.namespace, lease.run.conduct)
        if not is_good or lease.node.expelled_by is not None:
            _end(lease, LeaseState.RELEASED, RunState.OPEN, now=now)
            _journal(lease, "lease.release", SYSTEM)
            return lease
        lease.expires_at = now + timedelta(seconds=LEASE_SECONDS)
        lease.save(update_fields=["expires_at"])
        accounts_services.record_sighting(lease.node)
    return lease


def recall(nodes: Iterable[Node], *, now: datetime) -> list[Lease]:
    """Release what these machines hold, in the caller's transaction: others take the runs.

    What was released is the caller's to `journal`, when it holds all else that it needs.
    """
    released = []
    active = Lease.objects.filter(node__in=list(nodes), state=LeaseState.ACTIVE)
    for pk, run_id in active.order_by("run", "pk").values_list("pk", "run_id"):
        run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
        rows = active.select_related("node").select_for_update(of=("self",))
        lease = rows.filter(pk=pk).first()
        if lease is not None:
            lease.run = run
            _end(lease, LeaseState.RELEASED, RunState.OPEN, now=now)
            released.append(lease)
    return released


def journal(released: Iterable[Lease]) -> None:
    """Tell of what was recalled."""
    for lease in released:
        _journal(lease, "lease.release", SYSTEM)


def release(lease_id: uuid.UUID, *, by: User, now: datetime) -> None:
    """Give the run back unfinished, for another node to take at once."""
    with transaction.atomic():
        lease = held(lease_id, by=by, now=now)
        _end(lease, LeaseState.RELEASED, RunState.OPEN, now=now)
        _journal(lease, "lease.release", by.actor)


def complete(lease_id: uuid.UUID, *, by: User, now: datetime) -> None:
    """End the run, whose last checkpoint has arrived; raises RunUnfinished if it has not."""
    with transaction.atomic():
        lease = held(lease_id, by=by, now=now)
        _check_published(lease.run)
        _end(lease, LeaseState.COMPLETED, RunState.COMPLETED, now=now)
        _journal(lease, "lease.complete", by.actor)


def expire(*, now: datetime) -> int:
    """Mark as lost what has run out, and open its runs again; returns how many."""
    overdue = Lease.objects.filter(state=LeaseState.ACTIVE, expires_at__lte=now)
    return sum(_lose(pk, run_id, now=now) for pk, run_id in overdue.values_list("pk", "run_id"))


def held(lease_id: uuid.UUID, *, by: User, now: datetime) -> Lease:
    """The caller's lease, locked with its run until the transaction ends.

    Raises NotFound for somebody else's, LeaseLost for one that has ended or run out.
    """
    lease = queries.lease(lease_id, owner=by)
    run = Run.objects.select_for_update(of=("self",)).get(pk=lease.run_id)
    locked = Lease.objects.select_for_update(of=("self",)).get(pk=lease.pk)
    check_held(locked, now=now)
    run.project, run.conduct = lease.run.project, lease.run.conduct
    locked.run, locked.node = run, lease.node
    return locked


def check_held(lease: Lease, *, now: datetime) -> None:
    """Raises LeaseLost for one that has ended or run out."""
    if lease.state != LeaseState.ACTIVE:
        raise LeaseLost(f"expected an active lease, found one that is {lease.state}")
    if lease.expires_at <= now:
        raise LeaseLost(
            f"expected a lease that is kept by heartbeats, found one that ran out at "
            f"{lease.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        )


def check_step(run: Run, step: int) -> None:
    """Raises InvalidDocument for a step that the run does not have."""
    if step > run.steps:
        raise InvalidDocument("step", f"at most the run's {run.steps} steps", str(step))


def note_step(lease: Lease, step: int) -> None:
    """Remember how far the holder of this locked lease has come; never back."""
    run = lease.run
    check_step(run, step)
    if step > lease.step:
        lease.step = run.step = step
        lease.save(update_fields=["step"])
        run.save(update_fields=["step"])


def _check_published(run: Run) -> None:
    newest = catalog.latest_of_run(str(run.pk))
    step = newest.step if newest else None
    if step is None or step < run.steps:
        raise RunUnfinished(
            f"expected the published checkpoint of step {run.steps}, found "
            f"{'none' if step is None else f'that of step {step}'}"
        )


def _open_runs() -> QuerySet[Run]:
    return (
        Run.objects.select_related("project__owner", "conduct", "dataset")
        .filter(state=RunState.OPEN, project__ended_at=None)
        .order_by("created_at")
    )


def _candidates(node: Node) -> list[uuid.UUID]:
    """Open runs of projects that the owner acts for, under rules that they have accepted.

    A run whose newest checkpoint is still being published waits: from which step a node would
    have to go on is known in a moment.
    """
    mine = accounts.namespaces_of(node.owner)
    found = list(_open_runs().filter(project__owner__in=mine)[:MAX_CANDIDATES])
    kept = set(standing.kept_by(node.owner.namespace)) if found else set[str]()
    fit = [run for run in found if run.conduct.policy_id in kept]
    if found and not fit:
        standing.require(node.owner.namespace, found[0].conduct)
    return [run.pk for run in fit if not catalog.is_underway(str(run.pk))]


def _forget_earlier(node: Node, *, now: datetime) -> None:
    earlier = Lease.objects.filter(node=node, state=LeaseState.ACTIVE)
    for pk, run_id in earlier.values_list("pk", "run_id"):
        _lose(pk, run_id, now=now, is_overdue=False)


def _lease(run: Run, node: Node, *, now: datetime) -> Lease:
    """The run goes back to its last published checkpoint: what came after it is lost."""
    before = Lease.objects.filter(run=run).order_by("-fence").first()
    resumed = catalog.latest_of_run(str(run.pk))
    run.step = (resumed.step or 0) if resumed else 0
    run.save(update_fields=["step"])
    lease = Lease.objects.create(
        run=run,
        node=node,
        fence=before.fence + 1 if before else 1,
        step=run.step,
        started_at=now,
        expires_at=now + timedelta(seconds=LEASE_SECONDS),
    )
    runs.change_state(run, RunState.RUNNING)
    accounts_services.record_sighting(node)
    _journal(lease, "lease.claim", node.actor)
    return lease


def _lose(lease_id: uuid.UUID, run_id: uuid.UUID, *, now: datetime, is_overdue: bool = True) -> int:
    """1 if the lease was lost here, 0 if a heartbeat or another sweep came before."""
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
        overdue = Lease.objects.filter(pk=lease_id, state=LeaseState.ACTIVE)
        if is_overdue:
            overdue = overdue.filter(expires_at__lte=now)
        lease = overdue.select_related("node").select_for_update(of=("self",)).first()
        if lease is None:
            return 0
        lease.run = run
        _end(lease, LeaseState.LOST, RunState.OPEN, now=now)
        _journal(lease, "lease.lose", SYSTEM)
    return 1


def _end(lease: Lease, state: LeaseState, run_state: RunState, *, now: datetime) -> None:
    lease.state, lease.ended_at = state, now
    lease.save(update_fields=["state", "ended_at"])
    runs.change_state(lease.run, run_state)


def _journal(lease: Lease, action: str, actor: str) -> None:
    """One audit row and the run's followers, last in the transaction."""
    details = {
        "run": str(lease.run_id),
        "node": str(lease.node_id),
        "fence": lease.fence,
        "step": lease.step,
    }
    audit.record(actor, action, f"lease:{lease.id}", details)
    told = {
        "node": str(lease.node_id),
        "name": lease.node.name,
        "state": lease.state,
        "step": lease.step,
    }
    events.emit(lease.run.topic, "lease", told)
    runs.tell(lease.run)

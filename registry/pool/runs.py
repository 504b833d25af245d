# SPDX-License-Identifier: Apache-2.0
"""Creates runs and cancels them; what happens between is the business of leases."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from assay.signing import canonical
from assay.signing.canonical import Obj
from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.audit import services as audit
from registry.catalog.errors import MayNotPublish
from registry.catalog.queries import Dataset, Project
from registry.events import services as events

from .models import Lease, LeaseState, Run, RunState
from .recipe import Recipe

ENDED = frozenset({RunState.COMPLETED, RunState.CANCELLED})


def create_run(project: Project, recipe: Obj, dataset: Dataset, by: User) -> Run:
    """Open a run for leasing, under the conduct version that the project has now."""
    _check_may(by, project)
    checked = Recipe.parse(recipe)
    # As the statement will repeat it: plain JSON without floats, or it could not be signed.
    document = canonical.loads(canonical.dumps(checked.document))
    with transaction.atomic():
        run = Run.objects.create(
            project=project,
            recipe=document,
            dataset=dataset,
            conduct=project.conduct,
            steps=checked.steps,
            created_by=by,
        )
        details = {"run": str(run.id), "steps": run.steps, "dataset": dataset.sha256}
        audit.record(by.actor, "run.create", project.full_name, details)
        tell(run)
    return run


def cancel_run(run: Run, by: User) -> None:
    """Take a run out of the pool; its lease is lost. One that has ended stays as it is."""
    _check_may(by, run.project)
    with transaction.atomic():
        locked = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if locked.state in ENDED:
            return
        now = timezone.now()
        Lease.objects.filter(run=locked, state=LeaseState.ACTIVE).update(
            state=LeaseState.LOST, ended_at=now
        )
        change_state(locked, RunState.CANCELLED)
        audit.record(by.actor, "run.cancel", run.project.full_name, {"run": str(run.id)})
        tell(locked)


def change_state(run: Run, state: RunState) -> None:
    """Give a run, which the caller has locked, its new state."""
    run.state = state
    run.ended_at = timezone.now() if state in ENDED else None
    run.save(update_fields=["state", "ended_at"])


def tell(run: Run) -> None:
    """Tell the run's followers its state."""
    events.emit(run.topic, "run", {"state": run.state})


def _check_may(by: User, project: Project) -> None:
    if not accounts.may_publish(by, project.owner):
        raise MayNotPublish(f"expected a project that you act for, found {project.full_name}")

# SPDX-License-Identifier: Apache-2.0
"""Creates runs; what happens to them then is the business of leases."""

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

from .models import Run, RunState
from .recipe import Recipe


def create_run(project: Project, recipe: Obj, dataset: Dataset, by: User) -> Run:
    """Open a run for leasing, under the conduct version that the project has now."""
    if not accounts.may_publish(by, project.owner):
        raise MayNotPublish(f"expected a project that you act for, found {project.full_name}")
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


def change_state(run: Run, state: RunState) -> None:
    """Give a run, which the caller has locked, its new state."""
    run.state = state
    run.ended_at = timezone.now() if state is RunState.COMPLETED else None
    run.save(update_fields=["state", "ended_at"])


def tell(run: Run) -> None:
    """Tell the run's followers its state."""
    events.emit(run.topic, "run", {"state": run.state})

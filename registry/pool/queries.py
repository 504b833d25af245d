# SPDX-License-Identifier: Apache-2.0
"""Reads of the pool: runs, who works on them, and how their losses fall. Changes nothing.

The models are private to this app; their names are here for other apps' annotations.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Mod, RowNumber

from registry.accounts.names import ERASED
from registry.accounts.queries import Node, User
from registry.api.problems import NotFound
from registry.catalog.queries import Project, seeing

from .models import Lease, LeaseState, LossPoint, Run, RunState
from .sampling import decimal_text

__all__ = ["Lease", "LeaseState", "LossPoint", "Run", "RunState"]

NIL = uuid.UUID(int=0)
SHOWN_POINTS = 400  # more than a chart has pixels to tell apart


def runs() -> QuerySet[Run]:
    """All runs, the newest first, with what a page shows of each."""
    return Run.objects.select_related(
        "project__owner", "dataset__owner", "conduct", "created_by"
    ).order_by("-created_at")


def run(run_id: uuid.UUID | str) -> Run:
    """The run with this id; raises NotFound."""
    found = runs().filter(pk=_uuid(run_id)).first()
    if found is None:
        raise NotFound(f"expected the id of a run, found {str(run_id)[:80]!r}")
    return found


def visible_run(run_id: uuid.UUID | str, viewer: User | None) -> Run:
    """The same, if this caller may see its project."""
    found = runs().filter(seeing.projects(viewer, of="project"), pk=_uuid(run_id)).first()
    if found is None:
        raise NotFound(f"expected the id of a run, found {str(run_id)[:80]!r}")
    return found


def hidden(run_ids: Collection[str], viewer: User | None) -> frozenset[str]:
    """Those of these runs that there are, and that this caller may not see."""
    there = Run.objects.filter(pk__in=[_uuid(each) for each in run_ids])
    found = there.exclude(pk__in=there.filter(seeing.projects(viewer, of="project")))
    return frozenset(str(pk) for pk in found.values_list("pk", flat=True))


def runs_of(project: Project) -> QuerySet[Run]:
    """A project's runs, the newest first."""
    return runs().filter(project=project)


def name_prefix(run: Run) -> str:
    """What the names of a run's checkpoints begin with: names are unique in a project.

    Nothing for the project's first run, `run-2-` for its second. A run's never changes.
    """
    earlier = Q(created_at__lt=run.created_at) | Q(created_at=run.created_at, pk__lt=run.pk)
    before = Run.objects.filter(earlier, project=run.project_id).count()
    return f"run-{before + 1}-" if before else ""


def newest_run() -> Run | None:
    """The run that everybody may see and was created last; of people who left there is none."""
    everybodys = runs().filter(seeing.projects(None, of="project"))
    return everybodys.exclude(project__owner__name__startswith=ERASED).first()


def lease(lease_id: uuid.UUID | str, *, owner: User) -> Lease:
    """The lease of one of this person's nodes; raises NotFound for any other."""
    found = (
        Lease.objects.select_related("run__project__owner", "run__conduct", "node__owner")
        .filter(pk=_uuid(lease_id), node__owner=owner)
        .first()
    )
    if found is None:
        raise NotFound(f"expected a lease of a node of yours, found {str(lease_id)[:80]!r}")
    return found


def leases_of(run: Run) -> QuerySet[Lease]:
    """All leases of a run, the newest first."""
    return Lease.objects.select_related("node__owner").filter(run=run).order_by("-fence")


def has_lease(node: Node) -> bool:
    """That the node is at work."""
    return Lease.objects.filter(node=node, state=LeaseState.ACTIVE).exists()


def shown_losses(run: Run, at_most: int = SHOWN_POINTS) -> list[dict[str, object]]:
    """What a chart draws, as events tell it: evenly thinned, with the newest and every held-out."""
    points = LossPoint.objects.filter(run=run).order_by("step")
    stride = max(1, -(-points.count() // at_most))
    numbered = points.annotate(later=Window(RowNumber(), order_by=F("step").desc()) - 1)
    thinned = numbered.annotate(beside=Mod("later", stride))
    shown = thinned.filter(Q(beside=0) | Q(validation__isnull=False))
    return [point_json(point) for point in shown]


def validations(run: Run) -> dict[int, Decimal | None]:
    """The held-out loss at each step that has one."""
    points = LossPoint.objects.filter(run=run, validation__isnull=False)
    return dict(points.values_list("step", "validation"))


def point_json(point: LossPoint) -> dict[str, object]:
    """A point as an event and the API tell it (docs/spec/http.md)."""
    validation = point.validation
    return {
        "step": point.step,
        "bytes_seen": point.bytes_seen,
        "train": decimal_text(point.train),
        "validation": None if validation is None else decimal_text(validation),
        "seconds": decimal_text(point.seconds),
    }


def _uuid(value: uuid.UUID | str) -> uuid.UUID:
    """The nil id, which no row has, for what is no id."""
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return NIL

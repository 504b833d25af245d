# SPDX-License-Identifier: Apache-2.0
"""What happens to projects, kept for those who watch them: an outbox, emptied by `notices` above.

tell(project, ENDED, {})   in the transaction of what happened
take(limit)                in the transaction that passes it on: it is gone from here

What is told names things and says no words of people's: no title, no message, no author.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from assay.signing.digests import as_id
from registry.accounts.queries import Namespace

from ..models import Checkpoint, Project, Revision, State, Visibility
from ..models.told import Happening

CHECKPOINT = "checkpoint.published"
REVISION = "revision.created"
EVALUATED = "evaluation.published"
WITHDRAWN = "evaluation.withdrawn"
MOVED = "project.moved"
ENDED = "project.ended"
ASKED = "access.asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something that happened, free of its row."""

    project: Project
    kind: str
    data: Mapping[str, object]
    at: datetime


def tell(project: Project, kind: str, data: Mapping[str, object]) -> None:
    """Keep it until it is passed on; without the caller's commit nothing of it is there.

    The line of a pull request is no project that anybody watches, and has no page.
    """
    if project.visibility == Visibility.PULL:
        return
    said = {**named(project), **data}
    Happening.objects.create(project=project, kind=kind, data=said, at=timezone.now())


def tell_of_revision(revision: Revision) -> None:
    """A ref has moved to it."""
    data = {"branch": revision.branch, "checkpoint": of(revision.checkpoint)}
    tell(revision.project, REVISION, data)


def of(checkpoint: Checkpoint) -> Mapping[str, object]:
    """How a checkpoint is named to whoever is told of it."""
    return {
        "id": as_id(checkpoint.manifest_sha256),
        "oid": checkpoint.oid,
        "name": checkpoint.name,
        "url": settings.PUBLIC_URL + checkpoint.path,
    }


def named(project: Project) -> Mapping[str, object]:
    """How a project is."""
    return {"project": {"name": project.full_name, "url": settings.PUBLIC_URL + project.path}}


def take(limit: int) -> tuple[Told, ...]:
    """The oldest that nobody else is taking; the caller's transaction passes them on."""
    rows = Happening.objects.select_for_update(skip_locked=True, of=("self",))
    found = list(rows.select_related("project__owner").order_by("pk")[:limit])
    Happening.objects.filter(pk__in=[each.pk for each in found]).delete()
    return tuple(
        Told(project=each.project, kind=each.kind, data=each.data, at=each.at) for each in found
    )


def signed_under(subject: str, certificate: bytes) -> tuple[Project, ...]:
    """The projects with a published checkpoint that this certificate (DER) signed."""
    signed = Checkpoint.objects.filter(
        state=State.PUBLISHED, statement__subject=subject, statement__leaf=certificate
    )
    rows = Project.objects.select_related("owner").filter(pk__in=signed.values("project"))
    rows = rows.exclude(visibility=Visibility.PULL)
    return tuple(rows.order_by("pk"))


def forget(owner: Namespace) -> None:
    """What is kept of the projects of somebody who left."""
    theirs = Q(project__owner=owner) | Q(data__from__startswith=f"{owner.name}/")
    Happening.objects.filter(theirs).delete()

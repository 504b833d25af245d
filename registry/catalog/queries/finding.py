# SPDX-License-Identifier: Apache-2.0
"""Which projects and checkpoints a caller finds: all that are, and one by its name or id.

A checkpoint that is not published exists for its publisher and for those who act for its owner, so
that they can follow it; for everybody else there is no such thing. Nor is there anything of a
project that they may not see (seeing.py). A `viewer` is who asks; None is anybody.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from registry.accounts import queries as accounts
from registry.accounts.names import ERASED
from registry.accounts.queries import User

from ..errors import NotFound
from ..models import Checkpoint, Project, State, Visibility
from . import seeing

EARLIEST = ("published_at", "pk")
PARTS = (
    *("project__owner", "conduct", "dataset", "statement__entry", "oms_statement__entry"),
    "takedown__entry",
)


# Of a project's parts, what is long and hardly ever wanted.
UNREAD = ("listing__vector", "conduct__document", "conduct__text")


def projects(viewer: User | None = None) -> QuerySet[Project]:
    """All projects that this caller may see, the newest first; none of people who left."""
    return projects_where(seeing.projects(viewer))


def private_projects(viewer: User | None) -> QuerySet[Project]:
    """Those that not everybody sees, and this caller does, the newest first."""
    return projects(viewer).filter(visibility=Visibility.PRIVATE)


def project(owner: str, name: str, viewer: User | None = None, *, bound_to: str = "") -> Project:
    """The project `owner/name`, if this caller may see it, or by the name that it had before.

    It is `bound_to` by a token that publishes to it. Raises NotFound.
    """
    is_bound = bound_to == f"{owner}/{name}"
    seen = projects_where(Q(ended_at=None)) if is_bound else projects(viewer)
    named = Project.objects.filter(owner__name=owner, name=name)
    # One list of ids: two, with an "or" between them, are looked for in every row there is.
    found = seen.filter(pk__in=named.values("pk").union(named.values("moved_to"))).first()
    if found is None:
        raise NotFound(f"expected a project, found none called {f'{owner}/{name}'[:160]!r}")
    return found


def any_project(owner: str, name: str) -> Project:
    """For those who run the registry, whoever else may see it; raises NotFound."""
    found = projects_where(Q(owner__name=owner, name=name)).first()
    if found is None:
        raise NotFound(f"expected a project, found none called {f'{owner}/{name}'[:160]!r}")
    return found


def visible(viewer: User | None) -> QuerySet[Checkpoint]:
    """The checkpoints that this caller may see, the newest first."""
    return checkpoints_where(_visible(viewer))


def known(viewer: User | None) -> QuerySet[Checkpoint]:
    """Those that this caller may see, and what is left of those that were taken down."""
    left = Q(state=State.TAKEN_DOWN) & seeing.projects(viewer, of="project")
    return checkpoints_where(_visible(viewer) | left)


def checkpoint(sha256: str, viewer: User | None = None, *, within: str = "") -> Checkpoint:
    """The checkpoint with this id, `within` a project (`owner/name`) or anywhere; raises NotFound.

    Several projects may have published the same files: the earliest of those that this caller may
    see counts, after those one that is on its way, and of rejected ones the newest.
    """
    rows = known(viewer).filter(manifest_sha256=sha256)
    if within:
        owner, _, name = within.partition("/")
        rows = rows.filter(project__owner__name=owner, project__name=name)
    found = rows.filter(state=State.PUBLISHED).order_by(*EARLIEST).first()
    found = found or rows.exclude(state=State.REJECTED).first() or rows.first()
    if found is None:
        raise NotFound(f"expected a checkpoint's id, found none with sha256:{sha256[:80]}")
    return found


def checkpoint_named(owner: str, project: str, name: str, viewer: User | None = None) -> Checkpoint:
    """The checkpoint `owner/project@name`; raises NotFound."""
    found = known(viewer).filter(project__owner__name=owner, project__name=project, name=name)
    rows = list(found[:10])
    if not rows:
        shown = f"{owner}/{project}@{name}"[:260]
        raise NotFound(f"expected a checkpoint, found none called {shown!r}")
    return min(rows, key=lambda one: one.state == State.REJECTED)


def any_checkpoint(owner: str, project: str, name: str) -> Checkpoint:
    """The same for one that is or was published."""
    named = Q(project=any_project(owner, project), name=name)
    found = checkpoints_where(named).exclude(published_at=None).first()
    if found is None:
        raise NotFound(f"expected a checkpoint, found none called {name[:100]!r}")
    return found


def by_key(key: int) -> Checkpoint:
    """For what keeps a checkpoint's key, whoever else may see it; raises NotFound."""
    found = checkpoints_where(Q(pk=key)).first()
    if found is None:
        raise NotFound(f"expected a checkpoint, found none of key {key}")
    return found


def published(sha256: str, viewer: User | None = None) -> Checkpoint | None:
    """The published checkpoint with this id; of several, with the same files, the earliest."""
    rows = visible(viewer).filter(state=State.PUBLISHED, manifest_sha256=sha256)
    return rows.order_by(*EARLIEST).first()


def is_everybodys(of: Checkpoint) -> bool:
    """That it is published, in a public project."""
    return of.state == State.PUBLISHED and of.project.is_public


def has_open_files(of: Checkpoint) -> bool:
    """That everybody may read its files, too."""
    return is_everybodys(of) and not of.project.is_gated


def projects_where(which: Q) -> QuerySet[Project]:
    """Those for which this holds, whoever asks, the newest first; none of people who left."""
    kept = Project.objects.exclude(owner__name__startswith=ERASED).filter(which)
    found = kept.select_related("owner", "conduct", "listing").defer(*UNREAD)
    return found.order_by("-id")


def checkpoints_where(which: Q) -> QuerySet[Checkpoint]:
    """Those for which this holds, whoever asks, the newest first."""
    return Checkpoint.objects.select_related(*PARTS).filter(which).order_by("-id")


def _visible(viewer: User | None) -> Q:
    shown = Q(state=State.PUBLISHED)
    if viewer is not None:
        shown |= Q(publisher=viewer) | Q(project__owner__in=accounts.namespaces_of(viewer))
    return shown & seeing.projects(viewer, of="project")

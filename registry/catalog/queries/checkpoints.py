# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that were found: those of a project and of a run, how far they are, their manifests.

The models are private to this app; their names are here for other apps' annotations.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from assay.signing.manifest import Manifest
from registry.accounts.queries import Namespace

from ..models import Checkpoint, Dataset, DatasetFile, File, Project, State, Visibility
from .finding import checkpoints_where, visible

__all__ = ["Checkpoint", "Dataset", "DatasetFile", "File", "Project", "State", "Visibility"]

UNDERWAY = (State.RECEIVED, State.SIGNED)
LOGGED = (State.PUBLISHED, State.TAKEN_DOWN)
SHOWN = (
    *("name", "step", "size_bytes", "manifest_sha256", "published_at"),
    *("project__name", "project__owner__name"),
)


def published_in(project: Project) -> QuerySet[Checkpoint]:
    """The published checkpoints, the newest first, of a project that the caller may see."""
    return checkpoints_where(Q(state=State.PUBLISHED, project=project))


def as_rows(found: QuerySet[Checkpoint]) -> QuerySet[Checkpoint]:
    """What a list shows of each, and no more: the manifest of a data set can be megabytes."""
    return found.select_related(None).select_related("project__owner").only(*SHOWN)


def proposed_to(project: Project) -> QuerySet[Checkpoint]:
    """Those of its pull requests, the newest first: none of them is the project's own."""
    return checkpoints_where(Q(state=State.PUBLISHED, project__pull__project=project))


def published_by_runs() -> QuerySet[Checkpoint]:
    """All published checkpoints that runs have made and everybody may see, the newest first."""
    return visible(None).filter(run_id__isnull=False)


def published_by_run(run_id: str) -> QuerySet[Checkpoint]:
    """Those of one run, in the order of its steps; who asks may see its project."""
    return checkpoints_where(Q(state=State.PUBLISHED, run_id=run_id)).order_by("step", "pk")


def latest_of_run(run_id: str) -> Checkpoint | None:
    """The published checkpoint that a run got furthest with: where it is resumed."""
    return published_by_run(run_id).order_by("-step", "-id").first()


def is_underway(run_id: str) -> bool:
    """That a checkpoint of the run is received or signed, and not published yet."""
    return Checkpoint.objects.filter(run_id=run_id, state__in=UNDERWAY).exists()


def underway() -> list[int]:
    """Checkpoints that are neither published nor rejected: what the sweep advances."""
    rows = Checkpoint.objects.filter(state__in=UNDERWAY).order_by("id")
    return list(rows.values_list("pk", flat=True))


def count_published(checkpoint_ids: Collection[int]) -> int:
    """How many of these are published."""
    return Checkpoint.objects.filter(pk__in=checkpoint_ids, state=State.PUBLISHED).count()


def manifest(of: Checkpoint) -> Manifest:
    """The checkpoint's files, as its id names them."""
    return Manifest.parse(of.manifest)


def dataset(owner: Namespace, name: str) -> Dataset | None:
    """The owner's data set of this name."""
    return (
        Dataset.objects.select_related("owner", "statement").filter(owner=owner, name=name).first()
    )


def dataset_manifest(of: Dataset) -> Manifest:
    """The data set's files."""
    return Manifest.parse(of.manifest)

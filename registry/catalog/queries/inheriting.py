# SPDX-License-Identifier: Apache-2.0
"""Under which rules that stands which files were made from, as far as it is known beforehand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from registry.accounts.queries import User
from registry.conduct.queries import PolicyVersion

from ..content import described
from ..content.contents import WEIGHTS
from ..models import Project, State
from ..models.found import Carrier
from . import lineage, seeing


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """What something was made from, and the conduct that it is under."""

    name: str
    conduct: PolicyVersion


def above(
    project: Project,
    files: Mapping[str, str],
    front_matter: Mapping[str, object],
    viewer: User | None,
) -> Iterator[Above]:
    """What the card names, and who published the same weights first, of what this viewer may see.

    `files` are digests by name. Weights that the project has published itself are its own.
    """
    for each in lineage.known_as(described.read(front_matter).base_models, viewer):
        if each.pk != project.pk:
            yield Above(name=each.full_name, conduct=each.conduct)
    weights = {sha256 for name, sha256 in files.items() if name.lower().endswith(WEIGHTS)}
    for carrier in _first(weights, project, viewer) if weights else ():
        yield Above(name=carrier.checkpoint.full_name, conduct=carrier.checkpoint.conduct)


def _first(weights: Collection[str], project: Project, viewer: User | None) -> Iterator[Carrier]:
    own = Carrier.objects.filter(project=project, sha256=OuterRef("sha256"))
    shown = Carrier.objects.filter(
        ~Exists(own),
        seeing.projects(viewer, of="project"),
        sha256__in=weights,
        checkpoint__state=State.PUBLISHED,
    )
    first = shown.order_by("sha256", "id").distinct("sha256")
    yield from first.select_related("checkpoint__conduct", "checkpoint__project__owner")

# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint was made from, as its card declares it, and what of that its files prove.

A declaration is the publisher's word. Weights that are the very same, byte for byte, as those of a
signed checkpoint of another project are proof that they come from there or that both come from
elsewhere: whole files, by both signed manifests, and single tensors, by both signed lists, of a
project that no card names, too (descents.py). What was published first is called the parent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_

from django.db.models import Q

from registry.accounts.queries import User

from .. import queries
from ..content import described
from ..content.described import BASE
from ..models import Checkpoint, Project, State
from ..models.found import Carrier, Descent, Listing
from . import carriers, seeing

MOST_CHILDREN = 20
MOST_SHOWN = 5  # that no card names


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A project that the card names."""

    name: str
    relation: str
    """`finetune`, `adapter`, `merge` or `quantized`, if the card says it."""
    project: Project | None
    """None where there is no such project here that the viewer may see."""
    same: tuple[str, ...]
    """The checkpoint's files of weights that a published checkpoint there has, too."""
    weights: int
    """How many files of weights the checkpoint has."""
    descent: Descent | None = None
    """Which tensors of a checkpoint there it has: `same` of `of`; `parent` is that checkpoint."""
    is_declared: bool = True
    """Whether the card names it; else it was found by its tensors alone."""


def parents(of: Checkpoint, viewer: User | None = None) -> Sequence[Parent]:
    """As the card names them, then those found by tensors that this viewer may see.

    At most four queries.
    """
    card, descents = described.of(of), _descents(of, viewer)
    if not card.base_models and not descents:
        return ()
    known = {each.full_name: each for each in known_as(card.base_models, viewer)}
    own = {file.sha256: file.name for file in carriers.weights(of)}
    same = _same({*(each.pk for each in known.values()), *descents}, own)

    def parent(name: str, project: Project | None, *, is_declared: bool) -> Parent:
        return Parent(
            name=name,
            relation=card.relation if is_declared else "",
            project=project,
            same=tuple(sorted(same[project.pk])) if project else (),
            weights=len(own),
            descent=descents.get(project.pk) if project else None,
            is_declared=is_declared,
        )

    named = {each.pk for each in known.values()}
    found = (each.parent.project for key, each in descents.items() if key not in named)
    return (
        *(
            parent(name, known.get(name), is_declared=True)
            for name in card.base_models
            if name != of.project.full_name
        ),
        *(
            parent(project.full_name, project, is_declared=False)
            for project in islice(found, MOST_SHOWN)
        ),
    )


def _descents(of: Checkpoint, viewer: User | None) -> Mapping[int, Descent]:
    """By project, those with the most first; of what this viewer may see alone."""
    rows = Descent.objects.select_related("parent__project__owner").filter(
        seeing.projects(viewer, of="parent__project"), child=of, parent__state=State.PUBLISHED
    )
    return {each.parent.project_id: each for each in rows.order_by("-same", "pk")}


def children(of: Project) -> Sequence[Project]:
    """The newest projects whose card, on `main`, names this one; one more than are shown."""
    rows = Listing.objects.filter(is_public=True, labels__contains=[f"{BASE}{of.full_name}"])
    keys = list(rows.order_by("-project").values_list("pk", flat=True)[: MOST_CHILDREN + 1])
    return list(queries.projects().filter(pk__in=keys).exclude(pk=of.pk))


def known_as(names: Collection[str], viewer: User | None) -> Iterable[Project]:
    """The projects here that are called so, of those that this viewer may see."""
    if not names:
        return ()
    split = (name.split("/", 1) for name in names)
    either = reduce(or_, (Q(owner__name=owner, name=name) for owner, name in split))
    return queries.projects(viewer).filter(either)


def _same(projects: Collection[int], own: Mapping[str, str]) -> Mapping[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    rows = Carrier.objects.filter(
        sha256__in=own, project__in=projects, checkpoint__state=State.PUBLISHED
    )
    for project_id, sha256 in rows.values_list("project", "sha256"):
        found[project_id].add(own[sha256])
    return found

# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint was made from, as its card declares it, and what of that its files prove.

A declaration is the publisher's word. Weights that are the very same, byte for byte, as those of a
signed checkpoint of the project that is named are proof that they come from there or that both come
from elsewhere; both manifests are signed, and say so to anybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q

from . import described, queries
from .contents import WEIGHTS
from .described import BASE
from .found import Listing
from .models import Checkpoint, File, Project, State

MOST_CHILDREN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """A project that the card names."""

    name: str
    relation: str
    """`finetune`, `adapter`, `merge` or `quantized`, if the card says it."""
    project: Project | None
    """None where there is no such project here that everybody may see."""
    same: tuple[str, ...]
    """The checkpoint's files of weights that a published checkpoint there has, too."""
    weights: int
    """How many files of weights the checkpoint has."""


def parents(of: Checkpoint) -> Sequence[Parent]:
    """In the order in which the card names them; at most three queries."""
    card = described.of(of)
    if not card.base_models:
        return ()
    known = _known(card.base_models)
    own = {file.sha256: file.name for file in File.objects.filter(checkpoint=of) if _is_one(file)}
    same = _same(known.values(), own)
    return tuple(
        Parent(
            name=name,
            relation=card.relation,
            project=known.get(name),
            same=tuple(sorted(same[known[name].pk])) if name in known else (),
            weights=len(own),
        )
        for name in card.base_models
        if name != of.project.full_name
    )


def children(of: Project) -> Sequence[Project]:
    """The newest projects whose card, on `main`, names this one; one more than are shown."""
    rows = Listing.objects.filter(is_public=True, labels__contains=[f"{BASE}{of.full_name}"])
    keys = list(rows.order_by("-project").values_list("pk", flat=True)[: MOST_CHILDREN + 1])
    return list(queries.projects().filter(pk__in=keys).exclude(pk=of.pk))


def _known(names: Collection[str]) -> Mapping[str, Project]:
    split = (name.split("/", 1) for name in names)
    either = reduce(or_, (Q(owner__name=owner, name=name) for owner, name in split))
    return {each.full_name: each for each in queries.projects().filter(either)}


def _is_one(file: File) -> bool:
    return file.name.lower().endswith(WEIGHTS)


def _same(projects: Collection[Project], own: Mapping[str, str]) -> Mapping[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    rows = File.objects.filter(
        sha256__in=own, checkpoint__project__in=projects, checkpoint__state=State.PUBLISHED
    )
    for project_id, sha256 in rows.values_list("checkpoint__project", "sha256").distinct():
        found[project_id].add(own[sha256])
    return found

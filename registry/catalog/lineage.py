# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint was made from, as its card declares it, and what of that its files prove.

A declaration is the publisher's word. Weights that are the very same, byte for byte, as those of a
signed checkpoint of another project are proof that they come from there or that both come from
elsewhere: whole files, by both signed manifests, and single tensors, by both signed lists, of a
project that no card names, too. What was published first is called the parent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_

from django.db import connection
from django.db.models import Q

from registry.accounts.queries import User

from . import described, queries, seeing
from .contents import WEIGHTS
from .described import BASE
from .found import Descent, Listing
from .models import Checkpoint, File, Project, State

MOST_CHILDREN = 20
MOST_PARENTS = 20  # of other projects, those with the most tensors; kept once for each checkpoint
MOST_SHOWN = 5  # that no card names
# Of each tensor the first files that had it: what ten thousand made from one model have in common
# is found in that model. What is looked at is bounded, however many share it.
MOST_HOLDERS = 50
SHARED = """
    SELECT DISTINCT ON (project_id) id, same FROM (
        SELECT c.id, c.project_id, c.published_at, count(DISTINCT mine.sha256) AS same
        FROM (SELECT DISTINCT t.sha256 FROM catalog_tensor t
              JOIN catalog_tensordigests d ON d.id = t.digests_id
              JOIN catalog_file f ON f.sha256 = d.sha256 WHERE f.checkpoint_id = %(child)s) mine
        CROSS JOIN LATERAL (SELECT t.digests_id FROM catalog_tensor t
                            WHERE t.sha256 = mine.sha256 ORDER BY t.id LIMIT %(holders)s) held
        JOIN catalog_tensordigests d ON d.id = held.digests_id
        JOIN catalog_file f ON f.sha256 = d.sha256
        JOIN catalog_checkpoint c ON c.id = f.checkpoint_id
        JOIN catalog_project p ON p.id = c.project_id
        WHERE c.state = 'published' AND c.project_id <> %(project)s AND p.visibility <> 'pull'
        GROUP BY c.id) shared
    ORDER BY project_id, same DESC, published_at
"""
PROOFS = """
    SELECT count(DISTINCT t.sha256) FROM catalog_tensor t
    JOIN catalog_tensordigests d ON d.id = t.digests_id
    JOIN catalog_file f ON f.sha256 = d.sha256 WHERE f.checkpoint_id = %s
"""


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
    known = _known(card.base_models, viewer) if card.base_models else {}
    own = {file.sha256: file.name for file in File.objects.filter(checkpoint=of) if _is_one(file)}
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


def found(of: Checkpoint) -> Sequence[Descent]:
    """Of the checkpoints of other projects those with the most of its tensors, one a project."""
    with connection.cursor() as cursor:
        cursor.execute(PROOFS, [of.pk])
        (all_of,) = cursor.fetchone() or (0,)
        asked = {"child": of.pk, "project": of.project_id, "holders": MOST_HOLDERS}
        cursor.execute(SHARED, asked)
        rows = sorted(cursor.fetchall(), key=lambda row: (-row[1], row[0]))
    return [
        Descent(child=of, parent_id=parent, same=same, of=all_of)
        for parent, same in rows[:MOST_PARENTS]
    ]


def keep(descents: Sequence[Descent]) -> None:
    """In the transaction that publishes: what is shown of it is shown from then on."""
    Descent.objects.bulk_create(descents, ignore_conflicts=True)


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


def _known(names: Collection[str], viewer: User | None) -> Mapping[str, Project]:
    split = (name.split("/", 1) for name in names)
    either = reduce(or_, (Q(owner__name=owner, name=name) for owner, name in split))
    return {each.full_name: each for each in queries.projects(viewer).filter(either)}


def _is_one(file: File) -> bool:
    return file.name.lower().endswith(WEIGHTS)


def _same(projects: Collection[int], own: Mapping[str, str]) -> Mapping[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    rows = File.objects.filter(
        sha256__in=own, checkpoint__project__in=projects, checkpoint__state=State.PUBLISHED
    )
    for project_id, sha256 in rows.values_list("checkpoint__project", "sha256").distinct():
        found[project_id].add(own[sha256])
    return found

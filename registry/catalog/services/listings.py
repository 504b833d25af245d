# SPDX-License-Identifier: Apache-2.0
"""The row of each project by which it is found: what its card says, of the revision on `main`.

It is made of rows alone (card, tensors, files), in the transaction that moves `main`, so that a
list never says of a project what its page does not. Rows that an older version made are made anew
by the sweep (renewing.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import cast

from django.contrib.postgres.search import SearchVector
from django.db.models import QuerySet, Value
from django.utils.html import strip_tags

from registry.prepared import Given, Prepared

from ..content import contents, described
from ..content.contents import Contents
from ..content.described import Described
from ..models import MAIN, Checkpoint, Project, Ref, State
from ..models.found import FACETS, Listing, facet_label

VERSION = 2  # raise it where a row would be made differently from the same checkpoint
TEXT_CHARACTERS = 10_000  # of a card's text that are searched: what comes later says little more
CODE = "custom_code"  # the Hub's word for a repository whose loaders run Python of its own
RUN, PERSON = "run", "person"
# What stands behind a revision, the most first: the signed statement of the machine that made it,
# the identity token of a CI job, or a person's word alone.
PUBLISHER = "publisher"
# Classes of size, by parameters: below how many, and its name.
SIZES = (
    (100_000_000, "under-100m"),
    (1_000_000_000, "100m-1b"),
    (3_000_000_000, "1b-3b"),
    (8_000_000_000, "3b-8b"),
    (30_000_000_000, "8b-30b"),
    (100_000_000_000, "30b-100b"),
)
LARGEST = "over-100b"

_FRESH = Prepared(
    lambda project: Project.objects.select_related("owner", "conduct").filter(pk=project)
)
_AT_MAIN = Prepared(
    lambda project: (
        Checkpoint.objects.exclude(state=State.TAKEN_DOWN)
        .filter(
            pk__in=Ref.objects.filter(project=project, name=MAIN).values("revision__checkpoint")
        )
        .order_by("pk")[:1]
    )
)


def enter(project: Project) -> None:
    """The row of a project that has nothing yet; in the transaction that makes it."""
    _write(project, None)


def again(project: Project) -> None:
    """Its name, its owner, what it is or where `main` is has changed: the row anew.

    In the transaction that changes it, which holds the project. Of what was taken down it says
    nothing: neither words of its card nor what it is for.
    """
    fresh = _FRESH.first(project=project.pk)
    if fresh is None:
        raise Project.DoesNotExist
    _write(fresh, _AT_MAIN.first(project=project.pk))


def leave(projects: Collection[int]) -> None:
    """Nothing of these is found any more."""
    Listing.objects.filter(project__in=projects).delete()


def stale(most: int) -> list[int]:
    """Projects whose row was made by an older version, by their keys."""
    rows = Listing.objects.filter(version__lt=VERSION).order_by("version", "pk")  # as its index is
    return list(rows.values_list("pk", flat=True)[:most])


def size_class(parameters: int | None) -> str:
    """The class of size; empty where nothing says how many parameters there are."""
    if parameters is None:
        return ""
    return next((name for most, name in SIZES if parameters < most), LARGEST)


def labels(card: Described, found: Contents, conduct: str, verified: str = "") -> list[str]:
    """The Hub's one list of tags: what the card says, and what the registry knows."""
    code = [CODE] if found.needing_code else []
    proven = [f"{described.VERIFIED}{verified}"] if verified else []
    ours = (*code, *proven, f"{described.CONDUCT}{conduct}")
    return [*dict.fromkeys((*card.labels, *found.formats, *ours))]


def verified(at: Checkpoint | None) -> str:
    """By what evidence a revision stands; as its page says it, and no card can."""
    if at is None:
        return ""
    if at.run_statement_id is not None:
        return RUN
    return PUBLISHER if at.actor.startswith(f"{PUBLISHER}:") else PERSON


def _main_of(project: Given) -> QuerySet[Ref]:
    return Ref.objects.filter(project=project, name=MAIN)


def _write(project: Project, at: Checkpoint | None) -> None:
    card = described.of(at)
    found = contents.of(at) if at else Contents()
    under = f"{project.conduct.policy_id}/{project.conduct.version}"
    values: dict[str, object] = {
        "checkpoint": at,
        "version": VERSION,
        "is_public": project.is_public and project.taken_down_at is None,
        "task": card.task,
        "library": card.library,
        "licence": card.licence,
        "size": size_class(found.count),
        "conduct": under,
        "trained": _trained(at),
        "verified": verified(at),
        "parameters": found.count,
        "dtypes": found.parameters,
        "needs_code": bool(found.needing_code),
        "created_at": project.created_at,
        "updated_at": (at and at.published_at) or project.created_at,
        "vector": _vector(project, card, at),
    }
    facets = [facet_label(name, str(values[name])) for name in FACETS if values[name]]
    values["labels"] = labels(card, found, under, verified(at)) + facets
    if not Listing.objects.filter(project=project).update(**values):  # the project is held
        Listing.objects.create(project=project, **values)


def _trained(at: Checkpoint | None) -> str:
    if at is None:
        return ""
    return RUN if at.run_id else PERSON


def _vector(project: Project, card: Described, at: Checkpoint | None) -> SearchVector:
    """Names count most, then what the owner said in a line, then the card."""
    text = strip_tags(at.card_html)[:TEXT_CHARACTERS] if at else ""
    named = f"{project.owner.name} {project.name} {re.sub(r'[._-]+', ' ', project.name)}"
    words = " ".join((project.summary, card.task, card.library, *card.tags, *card.base_models))
    return cast(
        "SearchVector",  # a sum of them is one, which the stubs do not say
        SearchVector(Value(named), config="simple", weight="A")
        + SearchVector(Value(project.title), config="english", weight="A")
        + SearchVector(Value(words), config="english", weight="B")
        + SearchVector(Value(text), config="english", weight="D"),
    )

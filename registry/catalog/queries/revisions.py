# SPDX-License-Identifier: Apache-2.0
"""Reads of a project's history: what a ref, an oid or a name stands for, and what came before it.

A revision is found as a branch or a tag; else by 40 hexadecimal digits, which is how its
checkpoint's id begins; else by the checkpoint's name. Only what is published is ever found, and
what a pull request proposes only where it is asked for, by `refs/pr/N` or its digits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from registry.api import numbers

from .. import queries
from ..errors import RevisionUnknown, TakenDown
from ..models import (
    MAIN,
    OID_CHARACTERS,
    Checkpoint,
    Kind,
    Project,
    Ref,
    Revision,
    State,
    Visibility,
)
from ..models.proposed import PULLS, Pull
from . import withheld

__all__ = ["MAIN", "NO_OID", "PULLS", "Found", "Kind", "Ref", "Revision"]

HEAD = "HEAD"
LAST_NUMBER = (1 << 31) - 1  # that fits into a column
NO_OID = "0" * OID_CHARACTERS  # git's word for "no object": where a project has nothing yet
PARTS = ("checkpoint__project__owner", "author")
_OID = re.compile(rf"[0-9a-f]{{{OID_CHARACTERS}}}")
_HISTORY = """
    WITH RECURSIVE history (id, parent_id, depth) AS (
        SELECT id, parent_id, 0 FROM catalog_revision WHERE id = %s
        UNION ALL
        SELECT before.id, before.parent_id, depth + 1
        FROM catalog_revision before JOIN history ON before.id = history.parent_id
        WHERE depth < %s
    )
    SELECT id FROM history ORDER BY depth
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a revision's name stands for; without a checkpoint, a project that has nothing yet."""

    checkpoint: Checkpoint | None
    revision: Revision | None
    """By which it got into the history; of several, the newest."""

    @property
    def oid(self) -> str:
        """How clients name it."""
        return self.checkpoint.oid if self.checkpoint else NO_OID


NOTHING = Found(checkpoint=None, revision=None)


def find(project: Project, name: str) -> Found:
    """The revision of this name; raises RevisionUnknown."""
    wanted = MAIN if name == HEAD else name
    named = ref(project, wanted)
    if named is not None:
        withheld.check(named.revision.checkpoint)
        return Found(checkpoint=named.revision.checkpoint, revision=named.revision)
    found = by_oid(project, name) if is_oid(name) else _by_name(project, name)
    if found is not None:
        return Found(checkpoint=found, revision=_newest_of(found))
    withheld.check_named(project, name)
    if wanted in {MAIN, NO_OID} and not refs(project).filter(name=MAIN).exists():
        return NOTHING
    raise RevisionUnknown(f"expected a revision of {project}, found none called {name[:80]!r}")


def find_any(project: Project, name: str) -> Found:
    """The same, or what a pull request of the project proposes; raises RevisionUnknown."""
    if name.startswith(PULLS):
        found = proposed(pull_named(project, name))
        if found.checkpoint is not None:
            withheld.check(found.checkpoint)
        return found
    try:
        return find(project, name)
    except RevisionUnknown:
        at = _at_oid(queries.proposed_to(project), name) if is_oid(name) else None
        if at is None:
            raise
        return Found(checkpoint=at, revision=_newest_of(at))


def to_go_on_from(project: Project, name: str) -> Found:
    """What a commit to it starts with: of a branch at what was taken down, nothing is left."""
    try:
        return find_any(project, name)
    except TakenDown:
        named = ref(project, MAIN if name == HEAD else name)
        if named is None or not is_bare(named.revision.checkpoint):
            raise
        return NOTHING


def is_bare(at: Checkpoint) -> bool:
    """That whoever commits on top of it starts without files: it was taken down.

    What is proposed goes on from something, or not at all.
    """
    is_line = at.project.visibility == Visibility.PULL
    return at.state == State.TAKEN_DOWN and not is_line and at.project.taken_down_at is None


def proposed(of: Pull) -> Found:
    """The newest revision of a pull request; what it started at, if it has none of its own."""
    named = ref(of.line, MAIN)
    if named is None:
        return Found(checkpoint=of.base, revision=None)
    return Found(checkpoint=named.revision.checkpoint, revision=named.revision)


def is_oid(name: str) -> bool:
    """Whether it reads as one: no ref and no other checkpoint may be called so."""
    return _OID.fullmatch(name) is not None


def by_oid(project: Project, oid: str) -> Checkpoint | None:
    """The project's published checkpoint whose id begins so."""
    return _at_oid(queries.published_in(project), oid)


def refs(project: Project) -> QuerySet[Ref]:
    """Branches and tags, by name."""
    related = tuple(f"revision__{part}" for part in PARTS)
    return Ref.objects.select_related(*related).filter(project=project).order_by("name")


def ref(project: Project, name: str) -> Ref | None:
    """The ref of this name."""
    return refs(project).filter(name=name).first()


def heads(projects: Collection[int]) -> Mapping[int, Ref]:
    """What `main` is of these projects, by their keys; for lists."""
    related = tuple(f"revision__{part}" for part in PARTS)
    rows = Ref.objects.select_related(*related).filter(project__in=projects, name=MAIN)
    return {row.project_id: row for row in rows}


def history(found: Found, *, start: int = 0, limit: int) -> list[Revision]:
    """The revision and those before it, the newest first; `start` of them are left out.

    A checkpoint that a run left behind, or that no ref ever moved to, has itself alone.
    """
    if found.revision is None:
        return []
    rows = Revision.objects.raw(_HISTORY, [found.revision.pk, start + limit - 1])
    wanted = [row.pk for row in rows][start:]
    by_id = Revision.objects.select_related(*PARTS).in_bulk(wanted)
    return [by_id[pk] for pk in wanted]


def whole(of: Revision) -> Revision:
    """As it is now, with its checkpoint and author."""
    return Revision.objects.select_related(*PARTS).get(pk=of.pk)


def underway(project: Project, branch: str) -> list[int]:
    """Commits to a branch that are neither published nor rejected, by their checkpoints' keys."""
    rows = Revision.objects.filter(
        project=project, branch=branch, checkpoint__state__in=queries.UNDERWAY
    )
    return list(rows.order_by("pk").values_list("checkpoint_id", flat=True))


def kept(project: Project, oid: str) -> Revision | None:
    """The newest of `main` with this checkpoint, whether or not `main` went there yet."""
    rows = Revision.objects.filter(project=project, branch=MAIN).order_by("-pk")
    return rows.filter(checkpoint__manifest_sha256__startswith=oid).first()


def is_moved_to(revision: Revision) -> bool:
    """Whether its branch has it in its history: at its end, or with another after it."""
    at_end = Ref.objects.filter(project=revision.project_id, revision=revision)
    after = Revision.objects.filter(parent=revision, checkpoint__state=State.PUBLISHED)
    return at_end.exists() or after.exists()


def _at_oid(rows: QuerySet[Checkpoint], oid: str) -> Checkpoint | None:
    # A range, because the index on ids knows nothing of beginnings in every collation.
    first, last = oid.ljust(64, "0"), oid.ljust(64, "f")
    return rows.filter(manifest_sha256__gte=first, manifest_sha256__lte=last).first()


def pull_named(project: Project, name: str) -> Pull:
    """The pull request that `refs/pr/N` names; raises RevisionUnknown."""
    number = name.removeprefix(PULLS)
    found = None
    if (given := numbers.whole(number, most=LAST_NUMBER)) is not None:
        rows = Pull.objects.select_related("project__owner", "line", "base__project__owner")
        found = rows.filter(project=project, number=given).first()
    if found is None:
        raise RevisionUnknown(
            f"expected a pull request of {project}, found none called {name[:80]!r}"
        )
    return found


def _by_name(project: Project, name: str) -> Checkpoint | None:
    return queries.published_in(project).filter(name=name).first()


def _newest_of(checkpoint: Checkpoint) -> Revision | None:
    rows = Revision.objects.select_related(*PARTS).filter(checkpoint=checkpoint)
    is_head = Exists(Ref.objects.filter(revision=OuterRef("pk")))
    return rows.order_by(is_head.desc(), "-pk").first()

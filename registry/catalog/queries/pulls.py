# SPDX-License-Identifier: Apache-2.0
"""Reads of pull requests: which there are, what they change, and what merging would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef, QuerySet

from assay.signing.manifest import FileEntry
from registry.accounts import queries as accounts
from registry.accounts.queries import User

from .. import queries
from ..errors import PullUnknown
from ..models import MAIN, Checkpoint, Project, Ref, Revision
from ..models.proposed import Pull, Remark, Status
from . import revisions
from .changes import Put, Remove
from .revisions import Found

__all__ = ["Pull", "Remark", "Status"]

PARTS = ("author", "project__owner", "line__owner", "base__project__owner", "merged__checkpoint")
SHOWN = (
    *("number", "title", "status", "created_at", "author__username"),
    *("project__name", "project__owner__name"),
)
MAX_SHOWN = 500  # of a pull request's own commits, and of remarks


class Way(StrEnum):
    """What becomes of a file."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A file that is not what it was; a size is None where there is none."""

    name: str
    way: Way
    before_bytes: int | None
    after_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """What `main` would have to change, and the files that both sides have changed."""

    changes: tuple[Put | Remove, ...]
    conflicts: tuple[str, ...]


def pulls(project: Project) -> QuerySet[Pull]:
    """All of a project, the newest first."""
    return Pull.objects.select_related(*PARTS).filter(project=project).order_by("-number")


def as_rows(found: QuerySet[Pull]) -> QuerySet[Pull]:
    """What a list shows of each, and no more: the checkpoint that it starts at has a manifest."""
    return found.select_related(None).select_related("author", "project__owner").only(*SHOWN)


def proposing(project: Project) -> QuerySet[Pull]:
    """Those that wait for a decision; one without a commit proposes nothing yet."""
    has_commits = Exists(Ref.objects.filter(project=OuterRef("line"), name=MAIN))
    return pulls(project).filter(has_commits, status=Status.OPEN)


def pull(project: Project, number: int) -> Pull:
    """The one of this number; raises PullUnknown."""
    found = pulls(project).filter(number=number).first() if number < 1 << 31 else None
    if found is None:
        raise PullUnknown(f"expected a pull request of {project}, found none of number {number}")
    return found


def of_line(line: Project) -> Pull:
    """The pull request whose own line it is."""
    return Pull.objects.select_related(*PARTS).get(line=line)


def heads(of: Sequence[Pull]) -> Mapping[int, Checkpoint]:
    """The newest checkpoint of each that has one, by their keys."""
    refs = revisions.heads([each.line_id for each in of])
    return {each.pk: refs[each.line_id].revision.checkpoint for each in of if each.line_id in refs}


def commits(of: Pull) -> list[Revision]:
    """Its own revisions, the oldest first."""
    found = revisions.proposed(of)
    return revisions.history(found, limit=MAX_SHOWN)[::-1] if found.revision else []


def remarks(of: Pull) -> list[Remark]:
    """What was said and done, the oldest first."""
    return list(of.remarks.select_related("author").order_by("pk")[:MAX_SHOWN])


def changed(of: Pull) -> list[Changed]:
    """What it changes of what it started at, by name."""
    before, after = _files(of.base), _files(revisions.proposed(of).checkpoint)
    return list(_changed(before, after))


def merging(of: Pull, proposed: Found | None = None) -> Merging:
    """By file: what the pull request has changed, unless `main` has changed it to something else.

    `proposed` is what it proposes, if that has been looked up.

    What both have made the same is no conflict.
    """
    base, theirs = _files(of.base), _files((proposed or revisions.proposed(of)).checkpoint)
    ours = _files(revisions.find(of.project, MAIN).checkpoint)
    changes: list[Put | Remove] = []
    conflicts: list[str] = []
    for name in sorted(base.keys() | theirs.keys()):
        was, wanted, now = base.get(name), theirs.get(name), ours.get(name)
        if wanted in (was, now):
            continue
        if now != was:
            conflicts.append(name)
        else:
            changes.append(Put(file=wanted) if wanted else Remove(name=name))
    return Merging(changes=tuple(changes), conflicts=tuple(conflicts))


def is_being_merged(of: Pull) -> bool:
    """That what somebody began to merge is on its way to `main`, or there: it is not undone."""
    kept = revisions.kept(of.project, of.merging) if of.merging else None
    if kept is None:
        return False
    return kept.checkpoint.state in queries.UNDERWAY or revisions.is_moved_to(kept)


def may_decide(person: User | None, of: Pull) -> bool:
    """That they act for the project's owner, who alone merges."""
    return person is not None and accounts.may_publish(person, of.project.owner)


def may_change(person: User | None, of: Pull) -> bool:
    """That it is theirs, or theirs to decide: they rename, close and open it."""
    is_theirs = person is not None and of.author_id == person.pk
    return is_theirs or may_decide(person, of)


def _files(of: Checkpoint | None) -> dict[str, FileEntry]:
    return {file.name: file for file in queries.manifest(of).files} if of else {}


def _changed(before: Mapping[str, FileEntry], after: Mapping[str, FileEntry]) -> Iterator[Changed]:
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        way = Way.ADDED if was is None else Way.REMOVED if now is None else Way.CHANGED
        yield Changed(
            name=name,
            way=way,
            before_bytes=was.size if was else None,
            after_bytes=now.size if now else None,
        )

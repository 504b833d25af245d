# SPDX-License-Identifier: Apache-2.0
"""Moves refs: in the transaction that publishes a checkpoint, and nowhere else.

A commit's revision was made with its checkpoint and names its parent: its branch moves if it is
where it was then, which is the compare and swap. A run's checkpoint, or one that was handed in by
itself, is put on top of `main` wherever that is.
"""

from __future__ import annotations

from registry.accounts.queries import User

from ..models import MAIN, Checkpoint, Kind, Project, Ref, Revision
from . import listings, telling


def hold(project: Project) -> Project:
    """One writer of a project's refs at a time, until the caller's transaction ends.

    The project's row as it is by now, for there may be no ref yet; a submission that is being kept
    shares it.
    """
    return Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def land(checkpoint: Checkpoint, *, is_told: bool) -> None:
    """Move the ref to a checkpoint that is published in the caller's transaction; refs are held."""
    revision = Revision.objects.filter(checkpoint=checkpoint).order_by("-pk").first()
    move(revision or _on_top(checkpoint), is_told=is_told)


def move(revision: Revision, *, is_told: bool = True) -> bool:
    """The branch is at this revision if it was at its parent; whether it moved. Refs are held.

    Where it is `main` that moves, the project is listed by it. Those who watch hear of it if it
    `is_told`, which nothing is that arrived taken down.
    """
    has_moved = _move(revision)
    if has_moved and revision.branch == MAIN:
        listings.again(revision.project)
    if has_moved and is_told:
        telling.tell_of_revision(revision)
    return has_moved


def _move(revision: Revision) -> bool:
    at = Ref.objects.filter(project=revision.project_id, name=revision.branch)
    if revision.parent_id is not None:
        return bool(at.filter(revision=revision.parent_id).update(revision=revision))
    if at.exists():
        return False
    Ref.objects.create(
        project_id=revision.project_id, kind=Kind.BRANCH, name=revision.branch, revision=revision
    )
    return True


def _on_top(checkpoint: Checkpoint) -> Revision:
    main = Ref.objects.filter(project=checkpoint.project_id, name=MAIN).first()
    return Revision.objects.create(
        project=checkpoint.project,
        checkpoint=checkpoint,
        parent_id=main.revision_id if main else None,
        branch=MAIN,
        title=checkpoint.name,
        author=_author(checkpoint),
    )


def _author(checkpoint: Checkpoint) -> User | None:
    """The person who handed it in; a run, and a project's token, is nobody."""
    return checkpoint.publisher if checkpoint.actor == checkpoint.publisher.actor else None

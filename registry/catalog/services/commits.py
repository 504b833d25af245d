# SPDX-License-Identifier: Apache-2.0
"""Commits: changes to the files of a branch that become its next revision, signed like any other.

A commit goes through the publish machine: nothing of it is visible before it is signed and logged.
Two commits to one branch follow each other: the later one sees the earlier one, or is told so.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction

from assay.signing.manifest import Manifest
from registry.accounts.queries import User
from registry.audit import services as audit

from .. import queries
from ..content.submission import Submission
from ..errors import (
    AlreadyPublished,
    CommitRefused,
    CommitRejected,
    RefBusy,
    RevisionUnknown,
    StaleParent,
)
from ..models import MAIN, MAX_TITLE, OID_CHARACTERS, Checkpoint, Project, Revision, State
from ..queries import revisions, withheld
from ..queries.changes import Put, Remove, applied
from ..queries.revisions import NO_OID, Found
from . import advancing, hashing, moving, receiving

MAX_MESSAGE = 10_000
# Where the caller did not say on top of what, and others come first: half of what a proxy waits,
# commonly (nginx: 60 s). Each of those who write at once takes about half a second.
TURN_SECONDS = 30
BUSY = {"Retry-After": "2"}
# A worker that was nudged is at the same row for a quarter of a second, and for more under load.
PATIENCE_SECONDS = 10
PAUSE_SECONDS = 0.05
# As long as a proxy waits, commonly (nginx: 60 s): some 30 GB.
HASHING_SECONDS = 50
HASHING_PAUSE_SECONDS = 0.5  # between two looks at whether a large file's tensors are hashed


def _nobody(_oid: str) -> None:
    """Nobody notes which it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What somebody wants changed. `parent` is the oid that the branch must be at, if given.

    `start` is what the first commit of all is made on top of; nothing, but for a pull request.
    `claim` is told the oid in the transaction that keeps it, with the project's refs held: what it
    writes is there if the revision is, and what it raises leaves neither. `hashing_seconds` is how
    long large files' tensors are waited for; nobody waits where the workers run that hash them.
    """

    user: User
    holder: str = ""
    project: Project
    branch: str = MAIN
    parent: str | None = None
    title: str
    message: str = ""
    changes: tuple[Put | Remove, ...]
    start: Found = revisions.NOTHING
    claim: Callable[[str], None] = _nobody
    hashing_seconds: float = HASHING_SECONDS


def commit(wanted: Commit) -> Revision:
    """The branch's new revision, published. Call it outside any transaction.

    Raises StaleParent, RefBusy, CommitRefused, CommitRejected, what `receive` refuses, and
    SignerError where it has to wait: then it goes on by itself, and the same commit finds it.
    """
    receiving.check_rights(wanted.user, wanted.project, wanted.project.conduct)
    give_up_at = time.monotonic() + TURN_SECONDS
    while (made := _tried(wanted)) is None:
        if time.monotonic() > give_up_at:
            raise RefBusy(
                f"expected {wanted.branch} to stand still within {TURN_SECONDS} seconds, but "
                "others write to it; try again",
                headers=BUSY,
            )
        time.sleep(random.uniform(0, PAUSE_SECONDS))  # noqa: S311 - so that not all come at once
    return made


def _tried(wanted: Commit) -> Revision | None:
    """On top of where the branch is now; None if another came first."""
    _settle(wanted)
    base = _base(wanted)
    if wanted.parent not in {None, base.oid}:
        return _done_before(wanted, base)
    manifest = applied(_manifest(base), wanted.changes)
    if base.checkpoint is not None and manifest == _manifest(base):
        return _unchanged(base)
    made = _made(wanted, base, manifest)
    return revisions.whole(made) if made is not None and revisions.is_moved_to(made) else None


def follow(
    project: Project, oid: str, *, hashing_seconds: float = HASHING_SECONDS
) -> Revision | None:
    """The revision that a commit to `main` was kept as, published; None if `main` never went there.

    For whoever noted the oid (`claim`) and did not see the end of it. Raises as `commit` does.
    """
    kept = revisions.kept(project, oid)
    if kept is None:
        return None
    _through(kept.checkpoint_id, hashing_seconds)
    return revisions.whole(kept) if revisions.is_moved_to(kept) else None


def _unchanged(base: Found) -> Revision:
    if base.revision is None:
        raise CommitRefused(f"expected a change of what is at {base.oid}, found none")
    return base.revision


def _done_before(wanted: Commit, at: Found) -> Revision:
    """What the branch is at if it is this very commit, sent again; else the parent is stale."""
    revision = at.revision
    if revision is not None and revision.author_id == wanted.user.pk:
        parent = revision.parent
        before = Found(checkpoint=parent.checkpoint, revision=parent) if parent else wanted.start
        is_same = before.oid == wanted.parent
        if is_same and applied(_manifest(before), wanted.changes) == _manifest(at):
            return revision
    expected = (wanted.parent or NO_OID)[:80]
    raise StaleParent(f"expected {wanted.branch} at {expected}, found it at {at.oid}")


def _made(wanted: Commit, base: Found, manifest: Manifest) -> Revision | None:
    """The revision on top of this base, published; None if another came first."""
    existing = _existing(wanted.project, manifest)
    if existing is not None:
        _through(existing.pk, wanted.hashing_seconds)
        return _again(wanted, base, existing)
    submission = Submission(
        user=wanted.user,
        project=wanted.project,
        name=manifest.id[:OID_CHARACTERS],
        step=None,
        manifest=manifest,
        base=base.checkpoint if _manifest(base) else None,
        holder=wanted.holder,
    )
    try:
        revision = _kept(wanted, base, receiving.check(submission))
    except AlreadyPublished:  # by another who was quicker
        return None
    if revision is not None:
        _through(revision.checkpoint_id, wanted.hashing_seconds)
    return revision


def _kept(wanted: Commit, base: Found, submission: Submission) -> Revision | None:
    """Checkpoint and revision in one transaction, if the branch still is where it was."""
    with transaction.atomic():
        receiving.hold_person(wanted.user)
        moving.hold(wanted.project)
        if not _is_still_at(wanted, base):
            return None
        wanted.claim(submission.manifest.id[:OID_CHARACTERS])
        return _revision(wanted, base, receiving.keep(submission))


def _again(wanted: Commit, base: Found, existing: Checkpoint) -> Revision | None:
    """The branch goes to files that are a checkpoint of the project already."""
    with transaction.atomic():
        receiving.hold_person(wanted.user)
        moving.hold(wanted.project)
        receiving.check_rights(wanted.user, wanted.project, wanted.project.conduct)
        existing.refresh_from_db()
        withheld.check(existing)
        if not _is_still_at(wanted, base):
            return None
        wanted.claim(existing.oid)
        revision = _revision(wanted, base, existing)
        moving.move(revision)
        details = {"branch": wanted.branch, "id": existing.manifest_sha256}
        actor = wanted.holder or wanted.user.actor
        audit.record(actor, "revision.commit", existing.full_name, details)
        return revision


def _revision(wanted: Commit, base: Found, checkpoint: Checkpoint) -> Revision:
    return Revision.objects.create(
        project=wanted.project,
        checkpoint=checkpoint,
        parent=base.revision,
        branch=wanted.branch,
        title=wanted.title[:MAX_TITLE],
        message=wanted.message[:MAX_MESSAGE],
        author=None if wanted.holder else wanted.user,
    )


def _settle(wanted: Commit) -> None:
    """What is underway on the branch goes first."""
    for checkpoint_id in revisions.underway(wanted.project, wanted.branch):
        _through(checkpoint_id, wanted.hashing_seconds, is_own=False)


def _through(checkpoint_id: int, hashing_seconds: float, *, is_own: bool = True) -> None:
    """Publish it here and now; whoever finds a worker at it waits until that is done."""
    _wait_for_tensors(checkpoint_id, hashing_seconds)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    checkpoint = advancing.advance(checkpoint_id)
    while checkpoint.state in queries.UNDERWAY and time.monotonic() < give_up_at:
        time.sleep(PAUSE_SECONDS)  # another process has the row: nothing wakes us
        checkpoint = advancing.advance(checkpoint_id)
    match State(checkpoint.state):
        case State.PUBLISHED:
            return
        case State.REJECTED if is_own:
            raise CommitRejected(f"expected it signed, but {checkpoint.reason}")
        case State.TAKEN_DOWN if is_own:
            withheld.check(checkpoint)
        case State.REJECTED | State.TAKEN_DOWN:
            return
        case State.RECEIVED | State.SIGNED:
            raise RefBusy(
                f"expected {checkpoint.full_name} to be published by now, found it "
                f"{checkpoint.state}; try again",
                headers=BUSY,
            )


def _wait_for_tensors(checkpoint_id: int, seconds: float) -> None:
    """Until those of large files are hashed, which a worker of its own does."""
    give_up_at = time.monotonic() + seconds
    while left_bytes := hashing.awaited_bytes(checkpoint_id):
        if time.monotonic() >= give_up_at:
            raise RefBusy(
                f"expected its tensors to be hashed by now, found {left_bytes} bytes to go; it is "
                "received and goes on by itself, and the same commit, sent again, finds it",
                headers=BUSY,
            )
        if not connection.in_atomic_block:
            connection.close()  # others need it more
        time.sleep(HASHING_PAUSE_SECONDS)


def _base(wanted: Commit) -> Found:
    """Where the branch is. The first commit of all makes `main`.

    Raises TakenDown where nobody goes on from what was taken down.
    """
    found = _found(wanted)
    if found.checkpoint is not None and not revisions.is_bare(found.checkpoint):
        withheld.check(found.checkpoint)
    return found


def _found(wanted: Commit) -> Found:
    named = revisions.ref(wanted.project, wanted.branch)
    if named is None and wanted.branch == MAIN:
        return wanted.start
    if named is None:
        raise RevisionUnknown(
            f"expected a branch of {wanted.project}, found none called {wanted.branch[:80]!r}"
        )
    if named.kind == revisions.Kind.TAG:
        raise CommitRefused(f"expected a branch, found the tag {wanted.branch!r}")
    return Found(checkpoint=named.revision.checkpoint, revision=named.revision)


def _is_still_at(wanted: Commit, base: Found) -> bool:
    """That nothing was committed meanwhile; the refs are held."""
    if revisions.underway(wanted.project, wanted.branch):
        return False
    named = revisions.ref(wanted.project, wanted.branch)
    return (named.revision if named else None) == base.revision


def _existing(project: Project, manifest: Manifest) -> Checkpoint | None:
    rows = Checkpoint.objects.select_related("project__owner").filter(project=project)
    return rows.filter(manifest_sha256=manifest.id).exclude(state=State.REJECTED).first()


def _manifest(of: Found) -> Manifest | None:
    """The files that a commit changes; none of what was taken down, or it could never be left."""
    if of.checkpoint is None or revisions.is_bare(of.checkpoint):
        return None
    return queries.manifest(of.checkpoint)

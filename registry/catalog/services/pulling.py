# SPDX-License-Identifier: Apache-2.0
"""Pull requests: opened by whoever may read, with files of their own; merged by who may publish.

What is proposed is signed as its author's: a line of checkpoints in their name, paid from their
quota (docs/adr/0026). How it is merged is left to merging.py.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from assay.signing.digests import sha256
from registry.accounts.queries import User
from registry.api.problems import Problem
from registry.audit import services as audit
from registry.conduct import standing

from ..errors import (
    MayNotPublish,
    NotFound,
    PullDecided,
    PullRefused,
)
from ..models import MAIN, Checkpoint, Project, Revision, Visibility
from ..models.proposed import MAX_PULL_TITLE, Pull, Remark, Status
from ..queries import gates, pulls, revisions, seeing
from ..queries.changes import Change, Put
from . import commits, moving, projects, receiving
from .commits import Commit
from .projects import NewProject

MAX_OPEN = 20  # of one person in one project, so that nobody fills a project's list alone
MAX_REMARKS = 500
MAX_TEXT = 10_000  # a commit's message
SENT_AGAIN_WITHIN = timedelta(hours=1)  # clients send again for a minute, people the same day
Kind = Remark.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A commit that somebody wants made; `parent` is the oid that it goes on top of, if given."""

    by: User
    title: str
    message: str = ""
    parent: str | None = None
    changes: tuple[Change, ...]


def propose(
    project: Project,
    *,
    by: User,
    title: str,
    message: str = "",
    at: str | None = None,
    asked_sha256: str = "",
) -> Pull:
    """A new pull request, which has no commit yet, from `main` or the revision that `at` names.

    Raises PullRefused, NotAccepted, RevisionUnknown, NotFound for a project that they see no longer
    and AccessNeeded where files are gated. The request that a digest is of makes one in an hour.
    """
    wanted = _title(title)
    with transaction.atomic():
        receiving.hold_person(by)
        now = moving.hold(project)
        _check_may_propose(now, by)
        if asked_sha256 and (before := _made_before(now, by, asked_sha256)):
            return before
        _check_few(now, by)
        base = revisions.find(now, at or MAIN)
        made = Pull.objects.create(
            project=now,
            number=_next_number(now),
            line=_line(now, by),
            base=base.checkpoint,
            author=by,
            title=wanted,
            asked_sha256=asked_sha256,
        )
        if message.strip():
            Remark.objects.create(pull=made, author=by, kind=Kind.COMMENT, text=message[:MAX_TEXT])
        audit.record(by.actor, "pull.open", subject(made), {"line": made.line.full_name})
    return made


def propose_changes(project: Project, wanted: Proposal) -> tuple[Pull, Revision]:
    """A new pull request and its first commit; of one that is refused, nothing stays.

    The same sent again, by a client that was not told, finds the one that it has made.
    """
    made = propose(
        project,
        by=wanted.by,
        title=wanted.title[:MAX_PULL_TITLE],
        message=wanted.message,
        at=wanted.parent,
        asked_sha256=_digest(wanted),
    )
    start = revisions.Found(checkpoint=made.base, revision=None)
    try:
        return made, commit_to(made, replace(wanted, parent=start.oid))
    except Problem:
        _discard(made)
        raise


def commit_to(pull: Pull, wanted: Proposal) -> Revision:
    """Its next revision, published; raises as `commits.commit`, and PullDecided."""
    if pull.author_id != wanted.by.pk:
        raise MayNotPublish("expected whoever opened the pull request, found somebody else")
    check_open(pull)
    _check_is_not_merged(pull)
    start = revisions.Found(checkpoint=pull.base, revision=None)
    commit = Commit(
        user=wanted.by,
        project=pull.line,
        parent=wanted.parent,
        title=wanted.title,
        message=wanted.message,
        changes=wanted.changes,
        start=start,
    )
    return commits.commit(commit)


def comment(pull: Pull, text: str, *, by: User) -> Remark:
    """Whoever sees it may say something of it; raises PullRefused."""
    said = text_of(text)
    with transaction.atomic():
        hold(pull, by)
        _check_few_remarks(pull)
        return say(pull, by, Kind.COMMENT, said)


def rename(pull: Pull, title: str, *, by: User) -> Remark:
    """It is called so from now on; raises PullRefused or MayNotPublish."""
    wanted = _title(title)
    with transaction.atomic():
        now = hold(pull, by)
        _check_may_change(now, by)
        before, now.title = now.title, wanted
        now.save(update_fields=["title"])
        return say(now, by, Kind.TITLE, wanted, before=before)


def set_status(pull: Pull, status: Status, *, by: User, text: str = "") -> Remark:
    """It is closed, or open again; raises PullDecided or MayNotPublish."""
    if status == Status.MERGED:
        raise PullRefused("expected open or closed: merged is what merging makes it")
    with transaction.atomic():
        now = hold(pull, by)
        _check_may_change(now, by)
        _check_is_not_merged(now)
        if status == Status.OPEN and now.status == Status.CLOSED:
            _check_reopens(now)
        now.status = status
        now.save(update_fields=["status"])
        if text.strip():
            _check_few_remarks(now)
            say(now, by, Kind.COMMENT, text_of(text))
        audit.record(by.actor, "pull.decide", subject(now), {"status": status.value})
        return say(now, by, Kind.STATUS, status.value)


def edit(remark: Remark, text: str, *, by: User) -> Remark:
    """What somebody said, in other words of theirs; raises PullRefused or MayNotPublish."""
    said = text_of(text)
    with transaction.atomic():
        hold(remark.pull, by)
        now = Remark.objects.select_for_update().get(pk=remark.pk)
        if now.author_id != by.pk or now.kind != Kind.COMMENT or now.is_hidden:
            raise MayNotPublish("expected a comment of your own, found another")
        now.text, now.edited_at = said, timezone.now()
        now.save(update_fields=["text", "edited_at"])
    return now


def hide(remark: Remark, *, by: User) -> Remark:
    """Nobody reads it any more: by whoever said it, or who decides; raises MayNotPublish."""
    with transaction.atomic():
        pull = hold(remark.pull, by)
        now = Remark.objects.select_for_update().get(pk=remark.pk)
        is_theirs = now.author_id == by.pk or pulls.may_decide(by, pull)
        if now.kind != Kind.COMMENT or not is_theirs:
            raise MayNotPublish("expected a comment that is yours to hide, found another")
        now.text, now.is_hidden = "", True
        now.save(update_fields=["text", "is_hidden"])
        audit.record(by.actor, "pull.hide", subject(pull), {"remark": now.pk})
    return now


def _check_may_propose(project: Project, by: User) -> None:
    """As it is by now; the project is held."""
    if project.ended_at is not None or project.visibility == Visibility.PULL:
        raise PullRefused("expected a project that takes pull requests, found another")
    if not Project.objects.filter(seeing.projects(by), pk=project.pk).exists():
        raise NotFound("expected a project, found none that you see")
    gates.check(project, by)
    standing.require(by.namespace, project.conduct)


def _check_few(project: Project, by: User) -> None:
    count = Pull.objects.filter(project=project, author=by, status=Status.OPEN).count()
    if count >= MAX_OPEN:
        raise PullRefused(
            f"expected fewer than {MAX_OPEN} open pull requests of {by.username} in {project}, "
            f"found {count}: close one first"
        )


def _check_few_remarks(pull: Pull) -> None:
    """Not before merging: strangers who filled it would keep its owner from saying why."""
    if pull.remarks.count() >= MAX_REMARKS:
        raise PullRefused(f"expected at most {MAX_REMARKS} remarks, found so many already")


def _check_reopens(pull: Pull) -> None:
    """Nobody goes on with what one who left has proposed; whoever is here has so many at a time."""
    if pull.author is None:
        raise PullDecided(f"expected an author who is here, found {pull}, whose author has left")
    _check_few(pull.project, pull.author)


def _made_before(project: Project, by: User, asked_sha256: str) -> Pull | None:
    """What the same request has opened, which is open still."""
    since = timezone.now() - SENT_AGAIN_WITHIN
    of = pulls.pulls(project).filter(author=by, status=Status.OPEN, created_at__gt=since)
    return of.filter(asked_sha256=asked_sha256).first()


def _digest(wanted: Proposal) -> str:
    """The same of two requests that ask for the same."""
    changes = [
        ["put", each.file.name, each.file.sha256]
        if isinstance(each, Put)
        else ["remove", each.name, each.is_folder]
        for each in wanted.changes
    ]
    said = [wanted.title, wanted.message, wanted.parent, changes]
    return sha256(json.dumps(said).encode())


def _next_number(project: Project) -> int:
    """None that was ever given; the project is held."""
    Project.objects.filter(pk=project.pk).update(pulls=project.pulls + 1)
    return project.pulls + 1


def _line(project: Project, by: User) -> Project:
    """In the author's name, and called so that it says nothing of a private project."""
    new = NewProject(
        owner=by.namespace,
        name=f"pull-{secrets.token_hex(8)}",
        title="",
        summary="",
        conduct=project.conduct,
        visibility=Visibility.PULL,
    )
    return projects.create_project(new, by)


def _discard(pull: Pull) -> None:
    """Unless something of it was received, which goes on by itself."""
    with transaction.atomic():
        moving.hold(pull.project)
        if Checkpoint.objects.filter(project=pull.line).exists():
            return
        Remark.objects.filter(pull=pull).delete()
        Project.objects.filter(pk=pull.line_id).update(ended_at=timezone.now())
        pull.delete()


def hold(pull: Pull, by: User) -> Pull:
    """As it is by now; one at a time changes it. Locks are taken as an erasure takes them."""
    receiving.hold_person(by)
    moving.hold(pull.project)
    return pulls.pull(pull.project, pull.number)


def say(pull: Pull, by: User, kind: Kind, text: str, *, before: str = "") -> Remark:
    """Another remark of it, in the caller's transaction; what may be said was decided before."""
    return Remark.objects.create(pull=pull, author=by, kind=kind, text=text, before=before)


def check_open(pull: Pull) -> None:
    """Raises PullDecided."""
    if pull.status != Status.OPEN:
        raise PullDecided(f"expected an open pull request, found {pull}, which is {pull.status}")


def _check_is_not_merged(pull: Pull) -> None:
    """Nor on its way to `main`, or there without that being said yet."""
    if pull.status == Status.MERGED:
        raise PullDecided(f"expected a pull request that is not merged, found {pull}, which is")
    if pulls.is_being_merged(pull):
        raise PullDecided(
            f"expected a pull request that nobody merges, found {pull}, whose changes are on their "
            f"way to {MAIN} or there; merging it again makes good what was cut short"
        )


def _check_may_change(pull: Pull, by: User) -> None:
    if not pulls.may_change(by, pull):
        raise MayNotPublish("expected whoever opened the pull request, or who decides of it")


def _title(text: str) -> str:
    found = " ".join(text.split())
    if not found or len(found) > MAX_PULL_TITLE:
        raise PullRefused(
            f"expected a title of at most {MAX_PULL_TITLE} characters, found {len(found)}"
        )
    return found


def text_of(text: str) -> str:
    """What somebody typed, if it is some and not too much; raises PullRefused."""
    if not text.strip() or len(text) > MAX_TEXT:
        raise PullRefused(f"expected a text of at most {MAX_TEXT} characters, found {len(text)}")
    return text


def subject(pull: Pull) -> str:
    """How the audit names it."""
    return f"{pull.project.full_name}#{pull.number}"

# SPDX-License-Identifier: Apache-2.0
"""Merges pull requests: their changes are committed to `main`, signed and logged like any others.

The revision is the project's own. In the transaction that keeps it the pull request is still open,
and notes the revision's oid: who closes it comes before that, and nothing is merged, or after it,
and is told so. A merge that was cut short is made good by merging again.
"""

from __future__ import annotations

from functools import partial

from django.db import transaction

from registry.accounts.queries import User
from registry.audit import services as audit

from ..errors import MayNotPublish, MergeConflict, PullRefused, RefBusy, StaleParent
from ..models import MAIN, Revision
from ..models.proposed import Pull, Remark, Status
from ..queries import pulls, revisions
from ..queries.revisions import Found
from . import commits
from .commits import Commit
from .pulling import check_open, hold, say, subject, text_of

MAX_CONFLICTS_SHOWN = 20
TRIES = 3  # as often as others come first


def merge(pull: Pull, *, by: User, text: str = "", head: str = "") -> Revision:
    """Its changes on `main`, as a revision of the project; call it outside any transaction.

    `head` is the oid that was looked at, and nothing that came later is merged.

    Raises MergeConflict, PullDecided, PullRefused, and as `commits.commit`.
    """
    said = text_of(text) if text.strip() else ""  # what could be refused after it is merged, is now
    if not pulls.may_decide(by, pull):
        raise MayNotPublish(f"expected somebody who acts for {pull.project.owner.name!r}")
    check_open(pull)
    proposed = _looked_at(pull, head)
    begun = pulls.is_being_merged(pull)
    revision = commits.follow(pull.project, pull.merging) if begun else None
    revision = revision or _committed(pull, proposed, by, said)
    # COMMIT POINT. `main` has it; a crash here leaves the pull request open, and merging it again
    # changes nothing on `main` and says so.
    _decide(pull, revision, by, said)
    return revision


def _looked_at(pull: Pull, head: str) -> Found:
    """What it proposes by now, if that is what the caller has seen."""
    proposed = revisions.proposed(pull)
    if proposed.revision is None:
        raise PullRefused("expected a pull request with a commit, found one that proposes nothing")
    if head and proposed.oid != head:
        raise MergeConflict(
            f"expected {pull.ref} at {head[:40]}, which you looked at, found it at {proposed.oid}: "
            "look at what came since, and merge that"
        )
    return proposed


def _decide(pull: Pull, revision: Revision, by: User, text: str) -> None:
    """It is merged, whatever was decided since somebody began to; once, if two did."""
    with transaction.atomic():
        now = hold(pull, by)
        if now.status == Status.MERGED and now.merged_id == revision.pk:
            return
        if now.merging != revision.checkpoint.oid:  # `main` had all of it already
            check_open(now)
        now.status, now.merged = Status.MERGED, revision
        now.save(update_fields=["status", "merged"])
        if text:
            say(now, by, Remark.Kind.COMMENT, text)
        say(now, by, Remark.Kind.STATUS, Status.MERGED.value)
        details = {"id": revision.checkpoint.manifest_sha256}
        audit.record(by.actor, "pull.merge", subject(now), details)


def _committed(pull: Pull, proposed: Found, by: User, text: str) -> Revision:
    for _ in range(TRIES):
        try:
            return _on_main(pull, proposed, by, text)
        except StaleParent:  # somebody else's commit came first: look again
            continue
    raise RefBusy(
        f"expected {MAIN} to stand still, but others write to it; try again", headers=commits.BUSY
    )


def _on_main(pull: Pull, proposed: Found, by: User, text: str) -> Revision:
    """Compared with where `main` is: what is merged is what was looked at."""
    at, wanted = revisions.find(pull.project, MAIN), pulls.merging(pull, proposed)
    if wanted.conflicts:
        shown = ", ".join(wanted.conflicts[:MAX_CONFLICTS_SHOWN])
        raise MergeConflict(
            f"expected files that {MAIN} has not changed since {pull.ref} began, found "
            f"{len(wanted.conflicts)} that it has: {shown}"
        )
    commit = Commit(
        user=by,
        project=pull.project,
        parent=at.oid,
        title=f"Merge pull request {pull.number}",  # in no words of its author's, who may leave
        message=text.strip(),
        changes=wanted.changes,
        claim=partial(_claim, pull),
    )
    return commits.commit(commit)


def _claim(pull: Pull, oid: str) -> None:
    """It is being merged as this: from here on nobody closes it. The project's refs are held."""
    check_open(pulls.pull(pull.project, pull.number))
    Pull.objects.filter(pk=pull.pk).update(merging=oid)

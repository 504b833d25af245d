# SPDX-License-Identifier: Apache-2.0
"""`/api/models/{owner}/{name}/discussions…`: pull requests, as the Hub's clients speak of them.

Plain discussions there are none. What is proposed is read at `refs/pr/N`, like any revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.http import HttpResponse
from django.utils.html import escape, linebreaks

from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.catalog import services
from registry.catalog.errors import PullUnknown
from registry.catalog.queries import Project, pulls
from registry.catalog.queries.pulls import Pull, Remark, Status, Way
from registry.catalog.queries.revisions import MAIN, Revision

from .answers import Asked, answer, number_of
from .bodies import document, text
from .callers import check_bound
from .errors import Unreadable, WrongMethod

PAGE = 50
MAX_PAGES = 1000
LAST = (1 << 31) - 1  # as high as they are counted
DRAFT = "draft"
STATUSES: Mapping[str, tuple[Status, ...]] = {
    "open": (Status.OPEN,),
    "closed": (Status.CLOSED, Status.MERGED),
    "all": tuple(Status),
}
KINDS = ("pull_request", "all", "discussion")
SIGNS = {Way.ADDED: "A", Way.CHANGED: "M", Way.REMOVED: "D"}
Body = dict[str, object]


def read(asked: Asked, of: Project) -> HttpResponse:
    """All of a project, by page; or one of them, with what was said and is changed."""
    match asked.words:
        case ():
            return answer(_listed(asked, of))
        case (number,):
            return answer(_details(pulls.pull(of, number_of(number, most=LAST))))
        case _:
            raise WrongMethod("expected POST, found GET", headers={"Allow": "POST"})


def write(asked: Asked, of: Project) -> HttpResponse:
    """A new one; or what is said of one, or done with it."""
    person, body = _person(asked, of), document(asked.request)
    if not asked.words:
        return answer(_opened(of, person, body))
    number, *what = asked.words
    return answer(_written(pulls.pull(of, number_of(number, most=LAST)), person, body, what))


def _opened(of: Project, person: User, body: Mapping[str, object]) -> Body:
    if body.get("pullRequest") is not True:
        raise Unreadable("expected a pull request: there are no other discussions here")
    message = text(body, "description", default="")
    made = services.propose(of, by=person, title=text(body, "title"), message=message)
    return {"num": made.number, "pullRequest": True, "url": made.path}


def _written(pull: Pull, person: User, body: Mapping[str, object], what: list[str]) -> Body:
    said = text(body, "comment", default="")
    match what:
        case ["comment"]:
            return {"newMessage": _remark(services.comment(pull, said, by=person))}
        case ["comment", key, "edit"]:
            made = services.edit(_own(pull, key), text(body, "content"), by=person)
            return {"updatedComment": _remark(made)}
        case ["comment", key, "hide"]:
            return {"updatedComment": _remark(services.hide(_own(pull, key), by=person))}
        case ["title"]:
            return {"newTitle": _remark(services.rename(pull, text(body, "title"), by=person))}
        case ["status"]:
            status = _status(text(body, "status"))
            made = services.set_status(pull, status, by=person, text=said)
            return {"newStatus": _remark(made)}
        case ["merge"]:
            oid = services.merge(pull, by=person, text=said).checkpoint.oid
            return {"success": True, "mergeCommitId": oid}
        case _:
            raise Unreadable("expected comment, title, status or merge behind it, found another")


def _person(asked: Asked, of: Project) -> User:
    """In whose own name it is: what publishes to one project is nobody who says anything."""
    token = asked.by.writer()
    check_bound(token, of.full_name)
    return accounts.person_behind(token)


def _listed(asked: Asked, of: Project) -> Body:
    asks = asked.request.GET
    status, kind = asks.get("status", "all"), asks.get("type", "all")
    if status not in STATUSES or kind not in KINDS:
        raise Unreadable(
            f"expected a status of {', '.join(STATUSES)}, a type of {', '.join(KINDS)}"
        )
    rows = pulls.pulls(of).filter(status__in=STATUSES[status])
    if author := asks.get("author"):
        rows = rows.filter(author__username=author)
    if kind == "discussion":
        rows = rows.none()
    page = number_of(asks.get("p", "0"), most=MAX_PAGES)
    shown = list(rows[page * PAGE : (page + 1) * PAGE])
    heads = pulls.heads(shown)
    found = [_summary(each, has_commits=each.pk in heads) for each in shown]
    return {"discussions": found, "count": rows.count(), "start": page * PAGE}


def _details(of: Pull) -> Body:
    own = pulls.commits(of)
    events = [(each.created_at, _remark(each)) for each in pulls.remarks(of)]
    events += [(each.created_at, _commit(each)) for each in own]
    changes: Body = {"base": f"refs/heads/{MAIN}"}
    if of.merged is not None:
        changes["mergeCommitId"] = of.merged.checkpoint.oid
    conflicts = pulls.merging(of).conflicts if own and of.status == Status.OPEN else ()
    return {
        **_summary(of, has_commits=bool(own)),
        "events": [event for _, event in sorted(events, key=lambda pair: pair[0])],
        "changes": changes,
        "filesWithConflicts": list(conflicts),
        "diff": _diff(of),
    }


def _summary(of: Pull, *, has_commits: bool) -> Body:
    is_draft = of.status == Status.OPEN and not has_commits
    return {
        "num": of.number,
        "title": of.title,
        "status": DRAFT if is_draft else of.status,
        "isPullRequest": True,
        "createdAt": _time(of.created_at),
        "repo": {"name": of.project.full_name, "type": "model"},
        **_author(of.author),
    }


def _diff(of: Pull) -> str:
    """By file, with sizes: weights have no lines that could be compared."""
    lines = [
        f"{SIGNS[each.way]}\t{_bytes(each.before_bytes)}\t{_bytes(each.after_bytes)}\t{each.name}\n"
        for each in pulls.changed(of)
    ]
    return "".join(lines)


def _bytes(count: int | None) -> str:
    return "-" if count is None else str(count)


def _remark(of: Remark) -> Body:
    data: Body
    match Remark.Kind(of.kind):
        case Remark.Kind.COMMENT:
            at = of.edited_at or of.created_at
            latest: Body = {"raw": of.text, "html": _html(of.text), "updatedAt": _time(at)}
            data = {
                "edited": of.edited_at is not None,
                "hidden": of.is_hidden,
                "latest": {**latest, **_author(of.author)},
                "history": [],
                "numEdits": int(of.edited_at is not None),
            }
        case Remark.Kind.TITLE:
            data = {"from": of.before, "to": of.text}
        case Remark.Kind.STATUS:
            data = {"status": of.text}
    return {**_event(f"{of.pk:024x}", of.kind, of.created_at, of.author), "data": data}


def _commit(of: Revision) -> Body:
    oid = of.checkpoint.oid
    return {
        **_event(oid, "commit", of.created_at, of.author),
        "data": {"subject": of.title, "oid": oid},
    }


def _event(key: str, kind: str, at: datetime, author: User | None) -> Body:
    return {"id": key, "type": kind, "createdAt": _time(at), **_author(author)}


def _author(of: User | None) -> Body:
    """Clients write "deleted" where there is none."""
    return {"author": {"name": of.username}} if of is not None else {}


def _html(raw: str) -> str:
    return linebreaks(escape(raw))


def _own(pull: Pull, key: str) -> Remark:
    try:
        found = pull.remarks.filter(pk=int(key[-15:], 16)).first()
    except ValueError:
        found = None
    if found is None:
        raise PullUnknown(f"expected a remark on {pull}, found none called {key[:40]!a}")
    return found


def _status(given: str) -> Status:
    if given not in {Status.OPEN, Status.CLOSED}:
        raise Unreadable(f"expected open or closed, found {given[:40]!a}")
    return Status(given)


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

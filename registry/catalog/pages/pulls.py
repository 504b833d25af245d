# SPDX-License-Identifier: Apache-2.0
"""The pages of pull requests: which wait, what one changes, and where it is decided.

catalog/pulls.html   project, proposals and decided (Pull), command (how one is opened)
catalog/pull.html    pull, changed (pulls.Changed), count, conflicts, at (its newest Checkpoint, or
                     None), events (see `_events`), may_decide, may_change, problem
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from registry.accounts import reading
from registry.accounts.queries import User
from registry.api.problems import Problem

from .. import queries, services
from ..content import cards
from ..errors import NotFound, PullUnknown
from ..models import Project
from ..models.proposed import Pull, Remark, Status
from ..queries import pulls

MAX_LISTED = 50
MAX_FILES = 200  # of a page; clients read all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was said or done; `text` is a title or a state, `html` a comment."""

    kind: str
    author: str
    at: datetime
    text: str = ""
    html: SafeString | None = None


@require_safe
def listing(request: HttpRequest, owner: str, project: str) -> HttpResponse:
    """/{owner}/{project}/discussions: what waits, and what has been decided."""
    found = _project(request, owner, project)
    decided = pulls.pulls(found).exclude(status=Status.OPEN)
    context = {
        "project": found,
        "proposals": pulls.as_rows(pulls.proposing(found))[:MAX_LISTED],
        "decided": pulls.as_rows(decided)[:MAX_LISTED],
        "command": f"hf upload {found.full_name} FILE --create-pr",
    }
    return render(request, "catalog/pulls.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, owner: str, project: str, number: int) -> HttpResponse:
    """/{owner}/{project}/discussions/{number}; what is posted, a signed-in person decides."""
    try:
        pull = pulls.pull(_project(request, owner, project), number)
    except PullUnknown as error:
        raise Http404(str(error.detail)) from error
    if request.method != "POST":
        return _page(request, pull)
    person = request.user
    if not isinstance(person, User):
        return redirect(f"/login?next={pull.path}")
    try:
        messages.success(request, _done(request, pull, person))
    except Problem as problem:
        return _page(request, pull, problem=problem)
    return redirect(pull.path)


def _done(request: HttpRequest, pull: Pull, by: User) -> str:
    text = request.POST.get("text", "")
    match request.POST.get("decision"):
        case "merge":
            services.merge(pull, by=by, text=text, head=request.POST.get("head", ""))
            return _("It is merged: the project has it, signed and logged.")
        case "close":
            services.set_status(pull, Status.CLOSED, by=by, text=text)
            return _("It is closed.")
        case "open":
            services.set_status(pull, Status.OPEN, by=by, text=text)
            return _("It is open again.")
        case _:
            services.comment(pull, text, by=by)
            return _("It is said.")


def _page(request: HttpRequest, pull: Pull, *, problem: Problem | None = None) -> HttpResponse:
    person = request.user if isinstance(request.user, User) else None
    changed, heads = pulls.changed(pull), pulls.heads([pull])
    is_open = pull.status == Status.OPEN and pull.pk in heads
    context = {
        "pull": pull,
        "project": pull.project,
        "changed": changed[:MAX_FILES],
        "count": len(changed),
        "conflicts": pulls.merging(pull).conflicts if is_open else (),
        "at": heads.get(pull.pk),
        "events": _events(pull),
        "may_decide": pulls.may_decide(person, pull),
        "may_change": pulls.may_change(person, pull),
        "person": person,
        "problem": problem.detail if problem else "",
        "typed": request.POST.get("text", "") if problem else "",
    }
    status = problem.status_code if problem else HTTPStatus.OK
    return render(request, "catalog/pull.html", context, status=status)


def _events(pull: Pull) -> list[Event]:
    """Comments, commits and changes, the oldest first."""
    found = [_remark(each) for each in pulls.remarks(pull)]
    for each in pulls.commits(pull):
        author = each.author.username if each.author else ""
        found.append(Event(kind="commit", author=author, at=each.created_at, text=each.title))
    return sorted(found, key=lambda event: event.at)


def _remark(of: Remark) -> Event:
    author = of.author.username if of.author else ""
    event = Event(kind=of.kind, author=author, at=of.created_at, text=of.text)
    if of.kind != Remark.Kind.COMMENT:
        return event
    html = cards.render(of.text)
    return Event(kind=of.kind, author=author, at=of.created_at, html=html)


def _project(request: HttpRequest, owner: str, name: str) -> Project:
    try:
        return queries.project(owner, name, reading.viewer(request, reading.CHECKPOINTS))
    except NotFound as error:
        raise Http404(str(error.detail)) from error

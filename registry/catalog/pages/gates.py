# SPDX-License-Identifier: Apache-2.0
"""The pages on which people ask for the files of a gated project, and its owner answers.

catalog/ask.html        project, access (Access or None), is_own
catalog/requests.html   project, groups (state, title, accesses), problem
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registry.accounts import queries as accounts
from registry.accounts import reading
from registry.accounts.queries import User
from registry.api.problems import Problem

from .. import queries, services
from ..errors import AccessUnknown, NotFound
from ..models import Project
from ..queries import gates
from ..queries.gates import AccessState
from .governing import found_by_owner

MAX_LISTED = 200  # of each state; the API has them all
TITLES = {
    AccessState.ASKED: gettext_lazy("Waiting for an answer"),
    AccessState.GRANTED: gettext_lazy("With access"),
    AccessState.REFUSED: gettext_lazy("Refused"),
}
ANSWERS = {
    "grant": AccessState.GRANTED,
    "refuse": AccessState.REFUSED,
    "wait": AccessState.ASKED,
}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, owner: str, project: str) -> HttpResponse:
    """/{owner}/{project}/settings/ask: what the owner wants to be read, and the request itself."""
    person = request.user if isinstance(request.user, User) else None
    found = _project(owner, project, reading.viewer(request, reading.CHECKPOINTS))
    if request.method != "POST":
        return _ask_page(request, found, person)
    if person is None:
        return redirect_to_login(request.get_full_path())
    try:
        _answer_of(request, found, person)
    except Problem as problem:
        return _ask_page(request, found, person, problem=problem)
    return redirect(f"{found.path}/settings/ask")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def requests(request: HttpRequest, owner: str, project: str) -> HttpResponse:
    """/{owner}/{project}/settings/requests: who asked, who has access; for owners alone."""
    person, found = found_by_owner(request, owner, project)
    if request.method != "POST":
        return _requests_page(request, found)
    try:
        _decide(request, found, person)
    except Problem as problem:
        return _requests_page(request, found, problem=problem)
    return redirect(f"{found.path}/settings/requests")


def _answer_of(request: HttpRequest, project: Project, person: User) -> None:
    if "give-up" in request.POST:
        services.give_up(project, by=person)
        messages.success(request, _("It was taken back."))
        return
    made = services.ask(project, by=person, said=request.POST.get("said", "").strip())
    if made.state == AccessState.GRANTED:
        messages.success(request, _("You have access now."))
    else:
        messages.success(request, _("You asked. The answer will be on this page."))


def _decide(request: HttpRequest, project: Project, owner: User) -> None:
    given = request.POST.get("person", "").strip()
    person = accounts.user(given)
    if person is None:
        raise AccessUnknown(f"expected the name of a person, found {given[:80]!r}")
    decision = request.POST.get("decision", "")
    if decision == "let-in":
        services.grant(project, person, by=owner)
    elif decision in ANSWERS:
        reason = request.POST.get("reason", "").strip()
        services.decide(project, person, ANSWERS[decision], by=owner, reason=reason)
    else:
        raise AccessUnknown("expected an answer to the request, found none")
    messages.success(request, _("%(name)s was answered.") % {"name": person.username})


def _ask_page(
    request: HttpRequest, project: Project, person: User | None, *, problem: Problem | None = None
) -> HttpResponse:
    """`rules` are the version that they have to accept first, if they have to."""
    context = {
        "project": project,
        "access": gates.of(project, person) if person else None,
        "is_own": person is not None and gates.is_own(project, person),
        "rules": gates.rules_to_accept(project, person),
        "problem": problem.detail if problem else "",
    }
    return _rendered(request, "catalog/ask.html", context, problem)


def _requests_page(
    request: HttpRequest, project: Project, *, problem: Problem | None = None
) -> HttpResponse:
    context = {
        "project": project,
        "groups": [
            (state.value, title, gates.asked(project, state)[:MAX_LISTED])
            for state, title in TITLES.items()
        ],
        "problem": problem.detail if problem else "",
    }
    return _rendered(request, "catalog/requests.html", context, problem)


def _rendered(
    request: HttpRequest, template: str, context: Mapping[str, object], problem: Problem | None
) -> HttpResponse:
    status = problem.status_code if problem else HTTPStatus.OK
    return render(request, template, dict(context), status=status)


def _project(owner: str, name: str, viewer: User | None) -> Project:
    try:
        return queries.project(owner, name, viewer)
    except NotFound as error:
        raise Http404(str(error.detail)) from error

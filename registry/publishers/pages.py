# SPDX-License-Identifier: Apache-2.0
"""A project's publishers in a browser, for those who act for its owner; no script is needed."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.api.problems import NotFound
from registry.catalog import queries as catalog
from registry.catalog.errors import MayNotPublish
from registry.catalog.queries import Project
from registry.oidc.providers import Use, providers

from . import jobs, queries, services
from .errors import InvalidPublisher
from .forms import GITHUB, Filled


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def publishers(request: HttpRequest, owner: str, project: str) -> HttpResponse:
    """`publishers/list.html`; POST names one, and shows the form again where that is refused."""
    person = _person(request)
    found = _project(person, owner, project)
    if request.method == "GET":
        return _page(request, found)
    filled = Filled.of(request.POST)
    try:
        services.name(found, filled.description(), by=person)
    except InvalidPublisher as refusal:
        return _page(request, found, filled=filled, problem=str(refusal.detail))
    messages.success(request, _("The publisher was named. Its jobs may publish from now on."))
    return redirect(_path(found))


@never_cache
@login_required
@require_POST
def remove(request: HttpRequest, owner: str, project: str, publisher_id: int) -> HttpResponse:
    """Take one back; a second press changes nothing."""
    person = _person(request)
    found = _project(person, owner, project)
    publisher = queries.publishers_of(found).filter(pk=publisher_id).first()
    if publisher is None:
        raise NotFound("expected one of the project's publishers, found none")
    services.remove(publisher, by=person, now=timezone.now())
    messages.success(request, _("The publisher was removed. What its jobs hold opens nothing."))
    return redirect(_path(found))


def _page(
    request: HttpRequest, project: Project, *, filled: Filled | None = None, problem: str = ""
) -> HttpResponse:
    """Project, publishers, issuers, has_github, values, form, problem, registry, and the jobs'."""
    known = providers().for_use(Use.PUBLISHING)
    titles = {one.issuer: one.title for one in known}
    named = queries.publishers_of(project)
    others = [one for one in known if one.issuer != GITHUB]
    context = {
        "project": project,
        "path": _path(project),
        "publishers": [(one, titles.get(one.issuer, "")) for one in named],
        "issuers": others,
        "has_github": len(others) < len(known),
        "values": filled.values if filled else {},
        "form": filled.form if filled else "",
        "problem": problem,
        "registry": settings.PUBLIC_URL,
        "permissions": jobs.PERMISSIONS,
        "github_step": jobs.github(project.full_name),
        "other_step": jobs.other(project.full_name),
    }
    status = InvalidPublisher.status_code if problem else 200
    return render(request, "publishers/list.html", context, status=status)


def _project(person: User, owner: str, name: str) -> Project:
    found = catalog.project(owner, name, person)
    if not accounts.may_publish(person, found.owner):
        raise MayNotPublish(f"expected somebody who acts for {found.owner.name!r}")
    return found


def _path(project: Project) -> str:
    return f"{project.path}/settings/publishers"


def _person(request: HttpRequest) -> User:
    """Whoever asks; `login_required` has let them through."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    return request.user

# SPDX-License-Identifier: Apache-2.0
"""The people of an organisation: seen by all of them, admitted and removed by its owners.

accounts/organisations.html   memberships (of the viewer), name (asked for), problem
accounts/members.html         organisation, members, role (the viewer's), roles (value, title,
                              meaning), problem
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registry.api.problems import Problem

from . import queries, services
from .errors import NotAllowed
from .models import Organisation, Role, User
from .names import MAX_LENGTH

ROLES = {
    Role.READER: (gettext_lazy("Reader"), gettext_lazy("sees what is private")),
    Role.MEMBER: (gettext_lazy("Member"), gettext_lazy("publishes, too")),
    Role.OWNER: (gettext_lazy("Owner"), gettext_lazy("decides about people and projects, too")),
}


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organisations(request: HttpRequest) -> HttpResponse:
    """/settings/organisations: those that one is in; POST founds another."""
    person = _person(request)
    if request.method != "POST":
        return _all(request, person)
    name = request.POST.get("name", "").strip()
    try:
        made = services.create_organisation(name, person)
    except Problem as problem:
        return _all(request, person, name=name, problem=problem)
    said = _("%(name)s is yours. Before anything is published in its name, accept the conduct.")
    messages.success(request, said % {"name": made})
    return redirect("members-page", name=made)


def _all(
    request: HttpRequest, person: User, *, name: str = "", problem: Problem | None = None
) -> HttpResponse:
    context = {
        "memberships": queries.memberships_of(person),
        "name": name[:MAX_LENGTH],
        "problem": problem.detail if problem else "",
    }
    status = problem.status_code if problem else 200
    return render(request, "accounts/organisations.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, name: str) -> HttpResponse:
    """/settings/organisations/{name}; for those who are in it. Who leaves sees it no more."""
    person = _person(request)
    organisation, role = _mine(name, person)
    if request.method != "POST":
        return _page(request, organisation, role)
    try:
        return _decided(request, organisation, person)
    except Problem as problem:
        return _page(request, organisation, role, problem=problem)


def _decided(request: HttpRequest, organisation: Organisation, by: User) -> HttpResponse:
    path = request.path
    match request.POST.get("decision"):
        case "leave":
            services.remove_member(organisation, by, by=by)
            messages.success(request, _("You left %(name)s.") % {"name": organisation})
            return redirect("organisations")
        case "remove":
            gone = queries.member_named(organisation, request.POST.get("person", ""))
            services.remove_member(organisation, gone, by=by)
            said = _("%(name)s is in it no more.")
            messages.success(request, said % {"name": gone})
            path = "/settings/organisations" if gone == by else path
        case "put":
            found = queries.person_named(request.POST.get("person", "").strip())
            services.add_member(organisation, found, _role(request), by=by)
            said = _("%(name)s is in it, with the role that you chose.")
            messages.success(request, said % {"name": found})
        case _:
            raise NotAllowed("expected put, remove or leave, found something else")
    return redirect(path)


def _role(request: HttpRequest) -> Role:
    given = request.POST.get("role", "")
    if given not in Role.values:
        raise NotAllowed(f"expected one of {', '.join(Role.values)}, found {given[:40]!a}")
    return Role(given)


def _mine(name: str, person: User) -> tuple[Organisation, Role]:
    """Who is in what is for those who are in it to know."""
    organisation = queries.organisation(name)
    role = queries.role_in(organisation, person) if organisation else None
    if organisation is None or role is None:
        raise Http404("expected an organisation that you are in")
    return organisation, role


def _page(
    request: HttpRequest, organisation: Organisation, role: Role, *, problem: Problem | None = None
) -> HttpResponse:
    context = {
        "organisation": organisation,
        "members": queries.members_of(organisation),
        "role": role.value,
        "roles": [(each.value, *words) for each, words in ROLES.items()],
        "problem": problem.detail if problem else "",
    }
    status = problem.status_code if problem else 200
    return render(request, "accounts/members.html", context, status=status)


def _person(request: HttpRequest) -> User:
    """Whoever asks; `login_required` has let them through."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    return request.user

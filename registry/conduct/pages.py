# SPDX-License-Identifier: Apache-2.0
"""The page of a conduct version, and the form by which a person accepts or withdraws it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User

from . import queries, services
from .errors import NotAccepted, NotFound
from .models import PolicyVersion


@require_safe
def version(request: HttpRequest, policy: str, number: str) -> HttpResponse:
    """`conduct/version.html`: version, clauses (id, title, text), statement, index, parties.

    `parties` are the names that the viewer acts for, each with the `acceptance` that is in force.
    """
    found = _version(policy, number)
    context = {
        "version": found,
        "clauses": found.document["clauses"],
        "statement": found.statement,
        "index": found.statement.entry.index,
        "parties": _parties(request, found),
    }
    return render(request, "conduct/version.html", context)


@login_required
@require_POST
def answer(request: HttpRequest, policy: str, number: str) -> HttpResponse:
    """The form: `owner`, and `withdraw` to end an acceptance; back to the page."""
    found = _version(policy, number)
    person = request.user
    party = accounts.namespace(request.POST.get("owner", ""))
    if not isinstance(person, User) or party is None or not accounts.may_publish(person, party):
        raise Http404("expected a name that you act for")
    if "withdraw" in request.POST:
        _withdraw(found, party, person)
    else:
        services.accept(found, party, person)
    return HttpResponseRedirect(found.path)


def _version(policy: str, number: str) -> PolicyVersion:
    try:
        return queries.version(policy, number)
    except NotFound as error:
        raise Http404(str(error.detail)) from error


def _parties(request: HttpRequest, of: PolicyVersion) -> list[dict[str, object]]:
    if not isinstance(request.user, User):
        return []
    return [
        {"name": party.name, "acceptance": queries.live_acceptance(party, of)}
        for party in accounts.namespaces_of(request.user)
    ]


def _withdraw(found: PolicyVersion, party: Namespace, person: User) -> None:
    try:
        services.withdraw(found, party, person)
    except NotAccepted:
        return  # withdrawn already: what the form asks for is so

# SPDX-License-Identifier: Apache-2.0
"""The page on which an owner decides who sees a project, its rules, and that it ends.

catalog/governing.html   project, checkpoints and files (how many become public), gates (value,
                         title, meaning), waiting (how many asked), policies (the versions
                         that it can be put under), message, problem
"""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registry.accounts.queries import User, may_govern
from registry.api.problems import InvalidRequest, Problem
from registry.conduct import queries as conduct

from .. import queries, services
from ..errors import NotFound
from ..models import Project, Visibility
from ..queries import gates
from ..queries.gates import Gate

GATES = {
    Gate.OPEN: (
        gettext_lazy("Open"),
        gettext_lazy("Whoever sees the project downloads its files."),
    ),
    Gate.ASKS: (
        gettext_lazy("You decide"),
        gettext_lazy("People ask, and you let them in one by one."),
    ),
    Gate.AUTOMATIC: (
        gettext_lazy("Whoever asks"),
        gettext_lazy(
            "People sign in, accept its rules, read what you want them to, and have access at once."
        ),
    ),
}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def access(request: HttpRequest, owner: str, project: str) -> HttpResponse:
    """/{owner}/{project}/settings/access; what is for good asks for the name to be typed."""
    person, found = found_by_owner(request, owner, project)
    if request.method == "GET":
        return _page(request, found)
    has_typed = request.POST.get("typed", "").strip() == found.full_name
    match request.POST.get("decision"):
        case "private":
            services.show(found, Visibility.PRIVATE, by=person)
            messages.success(request, _("It is private now: only members see it."))
        case "gate" | "rules":
            return _save(request, found, person)
        case "public" | "end" if not has_typed:
            return _page(request, found, problem=_("Type the name of the project to go on."))
        case "public":
            services.show(found, Visibility.PUBLIC, by=person)
            messages.success(request, _("It is public now: everybody sees it."))
        case "end":
            services.end(found, by=person)
            messages.success(request, _("The project has ended."))
            return redirect("projects")
        case _:
            return _page(request, found, problem=_("Choose what is to be done."))
    return redirect(found.path)


def _save(request: HttpRequest, project: Project, person: User) -> HttpResponse:
    """What is chosen in a form, and may be chosen again."""
    save = {"gate": _gate, "rules": _rules}[request.POST["decision"]]
    return save(request, project, person)


def _gate(request: HttpRequest, project: Project, person: User) -> HttpResponse:
    gate, message = request.POST.get("gate", ""), request.POST.get("message", "").strip()
    if gate not in Gate.values:
        return _page(request, project, problem=_("Choose what is to be done."))
    try:
        services.set_gate(project, Gate(gate), message, by=person)
    except InvalidRequest as refusal:
        return _page(request, project, problem=str(refusal.detail), message=message)
    messages.success(request, _("It is so from now on."))
    return redirect(f"{project.path}/settings/access")


def _rules(request: HttpRequest, project: Project, person: User) -> HttpResponse:
    policy, _at, number = request.POST.get("rules", "").partition("@")
    try:
        services.put_under(project, conduct.version(policy, number), by=person)
    except Problem as refusal:
        return _page(request, project, problem=str(refusal.detail))
    messages.success(request, _("What is published from now on is under these rules."))
    return redirect(f"{project.path}/settings/access")


def found_by_owner(request: HttpRequest, owner: str, name: str) -> tuple[User, Project]:
    """Who asks, and the project that is theirs to decide for; for all others there is no page."""
    person = request.user
    if not isinstance(person, User):
        raise TypeError("expected a view that demands a sign-in")
    try:
        found = queries.project(owner, name, person)
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    if not may_govern(person, found.owner):
        raise Http404("expected a project that you decide for")
    return person, found


def _page(
    request: HttpRequest, project: Project, *, problem: str = "", message: str | None = None
) -> HttpResponse:
    checkpoints, files = services.reach(project)
    context = {
        "project": project,
        "checkpoints": checkpoints,
        "files": files,
        "gates": [(gate.value, *words) for gate, words in GATES.items()],
        "waiting": gates.waiting(project),
        "policies": conduct.all_to_accept(),
        "message": project.gate_message if message is None else message,
        "problem": problem,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "catalog/governing.html", context, status=status)

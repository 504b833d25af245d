# SPDX-License-Identifier: Apache-2.0
"""Webhooks in a browser: made, with the secret shown once, tried, renewed, and what they answered.

notices/list.html   hooks, names, events (each with a title), values, problem; secret and hook in
                    the answer to POST alone
notices/hook.html   hook, deliveries, events; secret in the answer to a renewal alone
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.api.problems import NotFound, Problem

from . import queries, services
from .models import PING, Event, Hook
from .services import Wanted

SHOWN = 50
TITLES = {
    Event.CHECKPOINT: gettext_lazy("a checkpoint is published"),
    Event.REVISION: gettext_lazy("a branch has a new revision"),
    Event.REVOKED: gettext_lazy("a certificate that signed a checkpoint is revoked"),
    Event.TAKEN_DOWN: gettext_lazy("a checkpoint is taken down"),
    Event.PROJECT_TAKEN_DOWN: gettext_lazy("the project is taken down"),
    Event.EVALUATED: gettext_lazy("somebody says how a checkpoint did"),
    Event.RESTORED: gettext_lazy("a checkpoint that was taken down is served again"),
    Event.EVALUATION_WITHDRAWN: gettext_lazy("an evaluation is withdrawn"),
    Event.MOVED: gettext_lazy("it moves to another name"),
    Event.ENDED: gettext_lazy("it ends"),
    Event.ASKED: gettext_lazy("somebody asks for its files (told to its owner alone)"),
}


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """/settings/webhooks; `?project=` fills the form in."""
    person = _person(request)
    if request.method == "GET":
        return _list(request, person, {"project": request.GET.get("project", "")[:160]})
    values = {name: request.POST.get(name, "").strip() for name in ("owner", "project", "url")}
    wanted = Wanted(**values, events=request.POST.getlist("events"))
    try:
        hook, secret = services.add(wanted, by=person)
    except Problem as problem:
        shown = {**values, "events": wanted.events, "problem": str(problem.detail)}
        return _list(request, person, shown, status=problem.status_code)
    return _hook(request, queries.hooks_of(person).get(pk=hook.pk), secret=secret, status=201)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def webhook(request: HttpRequest, hook_id: uuid.UUID) -> HttpResponse:
    """/settings/webhooks/{id}; POST decides one thing."""
    person = _person(request)
    hook = queries.hooks_of(person).filter(pk=hook_id).first()
    if hook is None:
        raise NotFound("expected a webhook of yours, found none")
    match request.POST.get("decision"):
        case "renew":
            return _hook(request, hook, secret=services.renew(hook, by=person))
        case "ping":
            services.ping(hook, by=person)
            messages.success(request, _("A ping is on its way. Look again in a moment."))
        case "on":
            services.switch_on(hook, by=person, now=timezone.now())
            messages.success(request, _("It is on again. What waited is sent first."))
        case "remove":
            services.remove(hook, by=person)
            messages.success(request, _("The webhook was removed. Nothing more is sent there."))
            return redirect("webhooks-page")
        case _:
            return _hook(request, hook)
    return redirect("webhook-page", hook_id=hook.pk)


def _list(
    request: HttpRequest, person: User, values: Mapping[str, object], *, status: int = 200
) -> HttpResponse:
    context = {
        "hooks": queries.hooks_of(person),
        "names": sorted(
            accounts.namespaces_governed_by(person), key=lambda each: each.name != person.username
        ),
        "events": [(each.value, title) for each, title in TITLES.items()],
        "values": values,
        "problem": values.get("problem", ""),
    }
    return render(request, "notices/list.html", context, status=status)


def _hook(request: HttpRequest, hook: Hook, *, secret: str = "", status: int = 200) -> HttpResponse:
    titles = {**{each.value: title for each, title in TITLES.items()}, PING: _("a ping")}
    found = queries.deliveries_of(hook, _person(request))[:SHOWN]
    context = {
        "hook": hook,
        "secret": secret,
        "deliveries": [(each, titles.get(each.kind, each.kind)) for each in found],
        "events": [title for each, title in TITLES.items() if each in hook.events],
    }
    return render(request, "notices/hook.html", context, status=status)


def _person(request: HttpRequest) -> User:
    """Whoever asks; `login_required` has let them through."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    return request.user

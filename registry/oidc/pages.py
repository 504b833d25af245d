# SPDX-License-Identifier: Apache-2.0
"""Signing in by a provider in a browser; the templates are in frontend/templates/oidc."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.accounts.queries import User
from registry.api.problems import Problem

from . import queries, services, signing_in
from .errors import LastSignIn, SignInRefused
from .providers import Admits, Provider, Use, providers
from .signing_in import NOBODY, Begun, Known

BACKEND = "registry.accounts.passwords.PasswordBackend"  # which finds a person by number
SIGN_INS = "/settings/sign-ins"
BEGUN, STRANGER = "oidc-begun", "oidc-stranger"  # in the session


@never_cache
@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest, name: str) -> HttpResponseBase:
    """Off to the provider; whoever is signed in is asked first, for theirs is being linked."""
    provider = signing_in.provider_named(name)
    if isinstance(request.user, User) and request.method == "GET":
        return _link_page(request, provider)
    wanted = request.GET.get("next", "/")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    begun = Begun.new(
        provider,
        next_path=wanted if is_ours else "/",
        linked_to=_number(request),
        now=timezone.now(),
    )
    request.session[BEGUN] = begun.to_session()
    return HttpResponseRedirect(signing_in.address(provider, begun))


@never_cache
@require_safe
def callback(request: HttpRequest, name: str) -> HttpResponse:
    """Back from the provider: signed in, linked, or off to choose a name.

    Nothing is linked but to the person who asked for it: somebody else may have signed in since, in
    a browser that still holds what an earlier visitor began.
    """
    begun = Begun.from_session(request.session.pop(BEGUN, None))  # once, whatever comes of it
    if name != begun.provider:
        raise SignInRefused(f"expected an answer of {begun.provider}, found one of {name[:80]!a}")
    if _number(request) != begun.linked_to:
        raise SignInRefused("expected whoever began this sign-in, found another signed in since")
    known = signing_in.finish(begun, request.GET.dict(), now=timezone.now())
    person = services.person(known)
    if isinstance(request.user, User):
        services.link(request.user, known)
        return HttpResponseRedirect(begun.next_path)
    if person is not None:
        return _signed_in(request, person, begun.next_path)
    if signing_in.provider_named(known.provider).admits is not Admits.ANYONE:
        raise SignInRefused(
            "expected somebody known here: sign in first, then link this sign-in to your account"
        )
    request.session[STRANGER] = {**known.to_session(), "next_path": begun.next_path}
    return HttpResponseRedirect("/auth/name")


@never_cache
@require_http_methods(["GET", "POST"])
def choose_name(request: HttpRequest) -> HttpResponse:
    """`oidc/name.html`: name, problem. Somebody new says what they will be called, for ever."""
    kept = request.session.get(STRANGER)
    if not isinstance(kept, Mapping):
        raise SignInRefused("expected somebody who has just signed in for the first time")
    if request.method == "GET":
        return render(request, "oidc/name.html", {"name": "", "problem": ""})
    name = request.POST.get("name", "")
    known = Known(**{key: kept[key] for key in ("provider", "issuer", "subject")})
    try:
        person = services.create_person(name, known)
    except Problem as problem:
        context = {"name": name, "problem": str(problem.detail)}
        return render(request, "oidc/name.html", context, status=problem.status_code)
    del request.session[STRANGER]
    return _signed_in(request, person, str(kept["next_path"]))


@never_cache
@login_required
@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """`oidc/sign_ins.html`: one's own ways to sign in."""
    return _sign_ins(request)


@never_cache
@login_required
@require_POST
def unlink(request: HttpRequest, identity_id: int) -> HttpResponse:
    """Take one away, unless it is the last."""
    try:
        services.unlink(_person(request), identity_id)
    except LastSignIn as refusal:
        return _sign_ins(request, problem=refusal)
    messages.success(request, _("You no longer sign in so."))
    return HttpResponseRedirect(SIGN_INS)


def _sign_ins(request: HttpRequest, *, problem: Problem | None = None) -> HttpResponse:
    """`oidc/sign_ins.html`: identities (with titles), has_password, others (providers), problem."""
    person = _person(request)
    identities = list(queries.identities_of(person))
    known = providers().for_use(Use.SIGN_IN)
    titles = {one.issuer: one.title for one in known}
    linked = {one.issuer for one in identities}
    context = {
        "identities": [(one, titles.get(one.issuer, "")) for one in identities],
        "has_password": person.has_usable_password(),
        "others": [one for one in known if one.issuer not in linked],
        "problem": problem.detail if problem else "",
    }
    status = problem.status_code if problem else 200
    return render(request, "oidc/sign_ins.html", context, status=status)


def _person(request: HttpRequest) -> User:
    """Whoever asks; `login_required` has let them through."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    return request.user


def _number(request: HttpRequest) -> str:
    return str(request.user.pk) if isinstance(request.user, User) else NOBODY


def _signed_in(request: HttpRequest, person: User, next_path: str) -> HttpResponse:
    if not person.is_active:
        raise SignInRefused("expected a person who may sign in, found one who may not")
    login(request, person, backend=BACKEND)
    return HttpResponseRedirect(next_path)


def _link_page(request: HttpRequest, provider: Provider) -> HttpResponseBase:
    """`oidc/link.html`: provider. Its form-action lets the answer lead to the provider."""
    parts = urlsplit(signing_in.authorization_url(provider))

    def page(request: HttpRequest) -> HttpResponseBase:
        return render(request, "oidc/link.html", {"provider": provider})

    return csp_update({"form-action": f"{parts.scheme}://{parts.netloc}"})(page)(request)

# SPDX-License-Identifier: Apache-2.0
"""One's own tokens in a browser: seen, issued with the secret shown once, revoked."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from registry.api.problems import NotFound, Problem

from . import queries, services
from .forms import TokenForm
from .models import User


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """`accounts/tokens.html`: `form`, `live`, `problem`; `secret` in the answer to POST alone."""
    person = _person(request)
    if request.method != "POST":
        return _page(request, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    wanted = form.cleaned_data
    expires_at = timezone.now() + timedelta(days=wanted["days"])
    try:
        _token, secret = services.issue_own_token(
            person, wanted["label"], wanted["scopes"], expires_at, projects=wanted["projects"]
        )
    except Problem as problem:
        return _page(request, form, problem=str(problem.detail), status=problem.status_code)
    return _page(request, TokenForm(), secret=secret, status=201)


@never_cache
@login_required
@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one; a second press changes nothing."""
    token = queries.tokens_of(_person(request)).filter(pk=token_id).first()
    if token is None:
        raise NotFound("expected one of your own tokens")
    services.revoke_token(token, by=token.user.actor)
    messages.success(request, _("The token was revoked. It opens nothing any more."))
    return redirect("token-page")


def _page(
    request: HttpRequest, form: TokenForm, *, secret: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    live = queries.live_tokens_of(_person(request), now=timezone.now())
    context = {"form": form, "live": live, "secret": secret, "problem": problem}
    return render(request, "accounts/tokens.html", context, status=status)


def _person(request: HttpRequest) -> User:
    """Whoever asks; `login_required` has let them through."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    return request.user

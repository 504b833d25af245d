# SPDX-License-Identifier: Apache-2.0
"""Where a person agrees that a program of theirs signs in their name (OpenID Connect)."""

from __future__ import annotations

from csp.decorators import csp_update
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from registry.accounts.queries import User

from . import vouching
from .vouching import Asked

TEMPLATE = "sigstore/authorize.html"


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponseBase:
    """`sigstore/authorize.html`: asked, uri, code (once the person agreed and is to copy it)."""
    asked = Asked.parse(request.GET.dict())
    if not isinstance(request.user, User):
        raise TypeError("expected somebody signed in")
    if request.method == "GET":
        return _page(request, asked, request.user)
    if request.POST.get("answer") != "yes":
        return (
            _sent(asked.address(error="access_denied"))
            if not asked.is_out_of_band
            else _page(request, asked, request.user)
        )
    code = vouching.grant(request.user, asked, now=timezone.now())
    if asked.is_out_of_band:
        return _page(request, asked, request.user, code=code)
    return _sent(asked.address(code=code))


def _page(request: HttpRequest, asked: Asked, user: User, *, code: str = "") -> HttpResponseBase:
    context = {"asked": asked, "uri": user.namespace.uri, "code": code}

    def page(request: HttpRequest) -> HttpResponseBase:
        return render(request, TEMPLATE, context)

    if asked.is_out_of_band:
        return page(request)
    # A browser holds where a form's answer redirects to against the page's form-action too.
    return csp_update({"form-action": asked.origin})(page)(request)


def _sent(address: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(address)

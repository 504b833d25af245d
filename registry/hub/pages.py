# SPDX-License-Identifier: Apache-2.0
"""Device logins over HTTP: what programs post, and the page where a person allows one.

hub/device.html  code (as typed or followed), is_known, is_done, scopes, days
"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from registry.accounts.queries import User
from registry.api.problems import NotFound, Problem

from . import devices, exchanging
from .bodies import document
from .devices import Pending

JSON = "application/json"
ACTIVATE = "/oauth/activate"
RATE = "30/min"  # a person logs in by hand; each leaves a row for a quarter of an hour


@never_cache
@csrf_exempt  # a program asks, and nothing of a session's is used
@require_POST
def device(request: HttpRequest) -> HttpResponse:
    """A new request. The client is public: its id proves nothing, and none is refused."""
    rate = _Rate()
    if not rate.allow_request(Request(request), APIView()):
        raise Throttled(rate.wait(), f"expected at most {RATE} from one address, found more.")
    begun = devices.begin(now=timezone.now())
    page = request.build_absolute_uri(ACTIVATE)
    said = {
        "device_code": begun.device_code,
        "user_code": begun.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?code={begun.user_code}",
        "expires_in": int(devices.GOOD_FOR.total_seconds()),
        "interval": int(devices.INTERVAL.total_seconds()),
    }
    return JsonResponse(said)


@never_cache
@csrf_exempt  # the secret that it brings is all that counts
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """For a program that a person logs in, or for a CI job that a project named."""
    said = _said(request)
    match said.get("grant_type"):
        case devices.GRANT:
            return _collected(str(said.get("device_code", "")))
        case exchanging.GRANT:
            return exchanging.answered(request, said)
        case _:
            return JsonResponse({"error": "unsupported_grant_type"}, status=400)


def _said(request: HttpRequest) -> Mapping[str, object]:
    """OAuth has a form; the Hub's clients send identity tokens as JSON."""
    return document(request) if request.content_type == JSON else request.POST.dict()


def _collected(device_code: str) -> JsonResponse:
    """The token once it is allowed; no refresh token, so that it ends when it says."""
    try:
        found = devices.collect(device_code, now=timezone.now())
    except Problem as refused:  # clients would take an answer without `error` for one that passes
        said = {"error": refused.code, "error_description": str(refused.detail)}
        return JsonResponse(said, status=400)
    if isinstance(found, Pending):
        return JsonResponse({"error": found.value}, status=400)
    token = {
        "access_token": found,
        "token_type": "bearer",
        "expires_in": int(devices.TOKEN_GOOD_FOR.total_seconds()),
        "scope": " ".join(devices.SCOPES),
    }
    return JsonResponse(token)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def activate(request: HttpRequest) -> HttpResponse:
    """Who waits, and what it would be allowed; POST `decision` says yes or no."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    now, typed = timezone.now(), (request.POST or request.GET).get("code", "")[:40]
    context: dict[str, object] = {
        "code": typed,
        "is_known": devices.waiting(typed, now=now) is not None,
        "scopes": devices.SCOPES,
        "days": devices.TOKEN_GOOD_FOR.days,
    }
    status = 200
    if request.method == "POST":
        is_allowed = request.POST.get("decision") == "allow"
        try:
            devices.decide(typed, request.user, is_allowed=is_allowed, now=now)
            context["is_done"], context["is_allowed"] = True, is_allowed
        except NotFound:
            context["is_known"], status = False, NotFound.status_code
    return render(request, "hub/device.html", context, status=status)


class _Rate(SimpleRateThrottle):
    """Counted by address, in this process alone."""

    rate = RATE

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"device:{self.get_ident(request)}"

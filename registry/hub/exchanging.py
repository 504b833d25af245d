# SPDX-License-Identifier: Apache-2.0
"""`POST /oauth/token` with an identity token (RFC 8693): how the Hub's clients log CI jobs in.

A job that a project named as its publisher gets a token for that project alone, for minutes: the
one that the registry's own address gives (registry/publishers), in the words of OAuth.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.views import APIView

from registry.api.problems import REFUSALS, document_of, headers_of
from registry.api.warnings import plain
from registry.catalog.errors import NotFound
from registry.oidc.tokens import MAX_TOKEN_CHARACTERS
from registry.publishers import services
from registry.publishers.limits import Rate
from registry.publishers.services import Exchanged

from .bodies import text
from .errors import Unreadable

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
IDENTITY = "urn:ietf:params:oauth:token-type:id_token"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


def answered(request: HttpRequest, said: Mapping[str, object]) -> JsonResponse:
    """The token; or why there is none, where clients read it."""
    try:
        _check_rate(request)
        return JsonResponse(_token(_exchanged(said)))
    except REFUSALS as error:
        document = document_of(error)
        if document is None:
            raise
        refused = {"error": _code(error, document.status), "error_description": document.detail}
        status = document.status if _may_pass(document.status) else HTTPStatus.BAD_REQUEST
        headers = {**headers_of(error), "X-Error-Message": plain(document.detail)}
        return JsonResponse(refused, status=status, headers=headers)


def _exchanged(said: Mapping[str, object]) -> Exchanged:
    kind, token = text(said, "subject_token_type"), text(said, "subject_token")
    if kind != IDENTITY:
        raise Unreadable(f"subject_token_type: expected {IDENTITY}, found {kind[:80]!a}")
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise Unreadable(f"subject_token: expected at most {MAX_TOKEN_CHARACTERS} characters")
    resource = text(said, "resource")
    owner, _, name = resource.partition("/")
    if not owner or not name or "/" in name:
        raise NotFound(f"resource: expected owner/name of a project, found {resource[:160]!a}")
    return services.exchange_for(owner, name, token, now=timezone.now())


def _token(given: Exchanged) -> Mapping[str, object]:
    return {
        "access_token": given.secret,
        "issued_token_type": ACCESS,
        "token_type": "bearer",
        "expires_in": int((given.expires_at - timezone.now()).total_seconds()),
        "scope": "publish",
    }


def _code(error: Exception, status: int) -> str:
    """In the words of RFC 6749, section 5.2, and RFC 8693, section 2.2.2."""
    match error:
        case NotFound():
            return "invalid_target"
        case Unreadable():
            return "invalid_request"
        case _:
            return "temporarily_unavailable" if _may_pass(status) else "invalid_grant"


def _may_pass(status: int) -> bool:
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return is_ours or status == HTTPStatus.TOO_MANY_REQUESTS


def _check_rate(request: HttpRequest) -> None:
    rate = Rate()
    if not rate.allow_request(Request(request), APIView()):
        raise Throttled(rate.wait(), f"expected at most {rate.rate} from one address, found more.")

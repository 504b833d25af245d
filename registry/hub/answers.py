# SPDX-License-Identifier: Apache-2.0
"""How views of the Hub's protocol answer: JSON, headers that browsers may read, pages by Link."""

from __future__ import annotations

import base64
import binascii
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from registry.api.numbers import capped, whole
from registry.api.problems import REFUSALS
from registry.catalog.queries.revisions import MAIN

from .callers import Caller, caller
from .errors import CORS, Unreadable, refusal, request_id

logger = logging.getLogger(__name__)

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Range, If-None-Match",
    "Access-Control-Max-Age": "86400",
}
MAX_CURSOR_CHARACTERS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, who sent it, and what comes behind the repository in its address."""

    request: HttpRequest
    by: Caller
    words: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """The first word; `main` if there is none."""
        return self.words[0] if self.words else MAIN


def endpoint(handler: Callable[[Asked], HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that knows its caller and refuses in the clients' words. Cookies are not looked at."""

    @csrf_exempt
    @functools.wraps(handler)
    def view(request: HttpRequest, **words: str) -> HttpResponse:
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={**CORS, **PREFLIGHT})
        by = Caller(token=None)
        try:
            by = caller(request.headers.get("Authorization"))
            answer = handler(Asked(request=request, by=by, words=tuple(words.values())))
        except REFUSALS as error:
            refused = refusal(error, is_anonymous=by.is_anonymous)
            if refused is None:
                raise
            logger.info("%s %s: %s", request.method, request.path, error)
            return HttpResponse(refused.body, status=refused.status, headers=refused.headers)
        for name, value in {**CORS, "X-Request-Id": request_id()}.items():
            answer.setdefault(name, value)
        return answer

    return view


def answer(body: object, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """200 and a document."""
    return JsonResponse(body, safe=False, headers=headers)


def next_page(request: HttpRequest, cursor: str | None) -> dict[str, str]:
    """The Link header to what comes after this cursor; none behind the last page."""
    if cursor is None:
        return {}
    return link_to(request, cursor=base64.urlsafe_b64encode(cursor.encode()).decode())


def link_to(request: HttpRequest, **values: str) -> dict[str, str]:
    """The Link header to the same question with these values, at the host that was asked."""
    query = request.GET.copy()
    for name, value in values.items():
        query[name] = value
    url = request.build_absolute_uri(request.get_full_path().partition("?")[0])
    return {"Link": f'<{url}?{query.urlencode()}>; rel="next"'}


def cursor_of(request: HttpRequest) -> str:
    """Where the page before ended; empty for the first."""
    given = request.GET.get("cursor", "")
    try:
        return base64.b64decode(
            given[:MAX_CURSOR_CHARACTERS], altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, ValueError) as error:
        raise Unreadable(f"expected a cursor out of a Link header, found {given[:40]!a}") from error


def limit_of(request: HttpRequest, *, most: int) -> int:
    """How many are wanted at once, at most so many."""
    given = request.GET.get("limit", "")
    if not given:
        return most
    if not (found := capped(given, most=most)):
        raise Unreadable(f"expected a limit of 1 to {most}, found {given[:40]!a}")
    return found


def number_of(given: str, *, most: int) -> int:
    """A number of 0 to so many."""
    if (found := whole(given, most=most)) is None:
        raise Unreadable(f"expected a number of 0 to {most}, found {given[:40]!a}")
    return found


def flag(request: HttpRequest, name: str) -> bool:
    """A switch in the query: clients write `true`, older ones `True`, some 1 or nothing at all."""
    return request.GET.get(name, "false").lower() in {"true", "1", ""}

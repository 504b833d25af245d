# SPDX-License-Identifier: Apache-2.0
"""`@idempotent` for the methods of API views that write: docs/spec/http.md's Idempotency-Key.

@idempotent                # the write and the memory of its answer commit together
def post(self, request): …

@idempotent_in_steps       # for a write that must commit before it can be answered
def post(self, request): …
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from typing import Concatenate, ParamSpec, Protocol, TypeVar, runtime_checkable

from django.db import transaction
from django.utils import timezone
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import services
from .errors import InvalidKey
from .services import Answer, Call

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_HEADERS = ("Location",)
_KEY = re.compile(r"[\x20-\x7e]{1,255}")

Parameters = ParamSpec("Parameters")
View = TypeVar("View", bound=APIView)
Method = Callable[Concatenate[View, Request, Parameters], Response]


@runtime_checkable
class Token(Protocol):
    """A token, of which accounts, above this app, has the rows.

    It may act for somebody else than its user, or for some projects alone.
    """

    pk: int
    user_id: int
    holder: str
    projects: list[str]


def idempotent(method: Method[View, Parameters]) -> Method[View, Parameters]:
    """The method's changes and the memory of its answer are one transaction: both, or neither."""
    return _remembering(method, is_atomic=True)


def idempotent_in_steps(method: Method[View, Parameters]) -> Method[View, Parameters]:
    """For a method that commits on its way: after a crash it may run a second time (`id_for`)."""
    return _remembering(method, is_atomic=False)


def id_for(request: Request) -> uuid.UUID:
    """An id for what the request makes: the same when it comes again because its process died."""
    call = call_of(request)
    return uuid.uuid4() if call is None else services.id_of(call)


def call_of(request: Request) -> Call | None:
    """What the key names; None for a request without one, or from nobody we could tell apart."""
    key = request.headers.get(HEADER)
    if key is None or not request.user.is_authenticated:
        return None
    check_key(key)  # before the body is read
    route = f"{request.method} {request.path}"[:500]
    return named(key, request.data, caller=_caller(request), route=route)


def named(key: str, body: object, *, caller: str, route: str) -> Call:
    """The request that a key names; raises InvalidKey."""
    check_key(key)
    written = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return Call(
        caller=caller,
        route=route,
        key=key,
        body_sha256=hashlib.sha256(written.encode()).hexdigest(),
    )


def check_key(key: str) -> None:
    """Raises InvalidKey for what is none."""
    if not _KEY.fullmatch(key):
        raise InvalidKey(f"expected 1 to 255 printable ASCII characters, found {key[:60]!r}")


def _remembering(method: Method[View, Parameters], *, is_atomic: bool) -> Method[View, Parameters]:
    @functools.wraps(method)
    def run(
        view: View, request: Request, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Response:
        call = call_of(request)
        if call is None:
            return method(view, request, *args, **kwargs)
        started_at = timezone.now()
        known = services.claim(call, now=started_at)
        if known is not None:
            headers = {**known.headers, REPLAYED: "true"}
            return Response(known.body, status=known.status, headers=headers)
        is_kept = False
        try:
            with transaction.atomic() if is_atomic else nullcontext():
                response = method(view, request, *args, **kwargs)
                is_done = response.status_code < status.HTTP_400_BAD_REQUEST
                if is_done:
                    services.keep(call, _answer_of(response), started_at=started_at)
            is_kept = is_done  # only now: the commit may have failed
        finally:
            if not is_kept:
                services.forget(call, started_at=started_at)
        return response

    return run


def _caller(request: Request) -> str:
    if isinstance(request.auth, Token):
        return caller_by(request.auth)
    return services.caller_of(str(request.user.pk))


def caller_by(token: Token) -> str:
    """The person, whichever of their tokens they use; or whom a token acts for that is no person's.

    Who named a publisher is answered nothing that its jobs were, nor they what that person was; and
    a token for some projects nothing that was answered of others.
    """
    if token.projects:
        return f"token:{token.pk}"
    return token.holder or services.caller_of(str(token.user_id))


def _answer_of(response: Response) -> Answer:
    rendered = JSONRenderer().render(response.data)
    return Answer(
        status=response.status_code,
        body=json.loads(rendered) if rendered else None,
        headers={name: response[name] for name in KEPT_HEADERS if name in response},
    )

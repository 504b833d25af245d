# SPDX-License-Identifier: Apache-2.0
"""`POST /api/v1/outputs/sign` below Django: what comes at about the same time is signed together.

Only the plain form, which programs send: JSON, a Bearer token, and an answer in JSON. Whatever else
may be asked of the address goes on to Django, whose view answers the same, one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from django.utils import timezone

from assay.signing.canonical import as_mapping
from assay.signing.errors import AssayError
from registry import prepared
from registry.accounts import permissions, tokens
from registry.accounts.queries import Scope as TokenScope
from registry.accounts.queries import Token
from registry.api import parsing
from registry.api.problems import REFUSALS, Problem, document_of, headers_of
from registry.api.together import Together
from registry.api.warnings import warn
from registry.api.wire import (
    Application,
    Receive,
    Scope,
    Send,
    header,
    send_body,
    send_document,
    send_head,
)
from registry.idempotency import api as idempotency
from registry.idempotency.services import Answer

from . import asserting
from .asking import Assertion
from .asserting import Asked, Ended

PATH, METHOD = "/api/v1/outputs/sign", "POST"
JSON = "application/json"
ACCEPTED = frozenset({"", "*/*", JSON})
MAX_TOGETHER = 256  # as many as the signer is asked in one request (signer.protocol.MAX_CLAIMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A request as it came."""

    authorization: str
    key: str | None
    body: bytes


class Signing:
    """Answers the plain form; everything else goes on to `inner`. Bodies come whole (Bodies)."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner
        self._together = Together(_answers, most=MAX_TOGETHER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if not _is_plain(scope):
            await self._inner(scope, receive, send)
            return
        sent = _Sent(
            authorization=header(scope, "Authorization") or "",
            key=header(scope, idempotency.HEADER),
            body=(await receive())["body"],
        )
        try:
            ended = await self._together.ask(sent)
        except REFUSALS as error:
            if document_of(error) is None:
                raise
            ended = Ended(answer=error, said={})
        for topic, text in ended.said.items():
            warn(topic, text)
        await _send(send, ended.answer)


def _is_plain(scope: Scope) -> bool:
    if scope["type"] != "http" or (scope["path"], scope["method"]) != (PATH, METHOD):
        return False
    scheme, _, _ = (header(scope, "Authorization") or "").partition(" ")
    kind, _, _ = (header(scope, "Content-Type") or "").partition(";")
    is_json = kind.strip().lower() == JSON and (header(scope, "Accept") or "").lower() in ACCEPTED
    is_whole = header(scope, "Content-Length") not in {None, "0"} and not scope["query_string"]
    return scheme.lower() == "bearer" and is_json and is_whole


def _answers(sent: Sequence[_Sent]) -> list[Ended]:
    """In a thread, with the database: who asks for what, then all of them together."""
    with prepared.by_keys():
        return _answered(sent)


def _answered(sent: Sequence[_Sent]) -> list[Ended]:
    found = tokens.authenticate_all([each.authorization for each in sent], now=timezone.now())
    ended: dict[int, Ended] = {}
    asked: dict[int, Asked] = {}
    for place, (each, token) in enumerate(zip(sent, found, strict=True)):
        try:
            asked[place] = _read(each, token)
        except (Problem, AssayError) as error:
            ended[place] = Ended(answer=error, said={})
    ended |= zip(asked, asserting.sign(list(asked.values())), strict=True)
    return [ended[place] for place in range(len(sent))]


def _read(sent: _Sent, token: Token | Problem | None) -> Asked:
    """In the order in which the view looks: the token, its scope, the body, the key."""
    if isinstance(token, Problem):
        raise token
    allowed = tokens.require(token, TokenScope.OUTPUTS)
    permissions.check_project(allowed)
    body = parsing.parse(sent.body)
    caller, route = idempotency.caller_by(allowed), f"{METHOD} {PATH}"
    key = sent.key
    call = None if key is None else idempotency.named(key, body, caller=caller, route=route)
    assertion = Assertion.parse(as_mapping(body, "body"))
    within = tuple(allowed.projects)
    return Asked(by=allowed.user, within=within, assertion=assertion, call=call)


async def _send(send: Send, answer: Answer | Exception) -> None:
    if isinstance(answer, Exception):
        document = document_of(answer)
        if document is None:
            raise answer
        await send_document(send, document, headers_of(answer))
        return
    body = orjson.dumps(answer.body, option=orjson.OPT_NON_STR_KEYS)  # names of parts are enums
    stated = {"Content-Type": JSON, "Content-Length": str(len(body))}
    await send_head(send, answer.status, {**stated, **answer.headers})
    await send_body(send, body)

# SPDX-License-Identifier: Apache-2.0
"""Serves the TUF repository's files below Django: no database, and only what a client asks for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from registry.api.problems import NotFound, Problem
from registry.api.wire import Application, Receive, Scope, Send, send_body, send_head, send_problem
from registry.storage.errors import WrongMethod

from . import distributing

PREFIX = "/trust/"
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFiles:
    """Answers the addresses of the repository's files; everything else goes on to `inner`."""

    inner: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        path = scope["path"] if scope["type"] == "http" else ""
        name = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
        if not distributing.NAME.fullmatch(name):
            await self.inner(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        try:
            headers, data = await asyncio.to_thread(_answer, scope["method"], name)
        except Problem as problem:
            await send_problem(send, problem, is_head=is_head)
            return
        await send_head(send, 200, {**headers, "Content-Length": str(len(data))})
        await send_body(send, b"" if is_head else data)


def _answer(method: str, name: str) -> tuple[dict[str, str], bytes]:
    if method not in {"GET", "HEAD"}:
        allowed = "GET, HEAD"
        raise WrongMethod(f"expected {allowed}, found {method[:20]}", headers={"Allow": allowed})
    try:
        data = (distributing.folder() / name).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"expected a file of the repository, found none at {name}") from error
    is_fixed = name != "timestamp.json"
    caching = f"public, max-age={YEAR_SECONDS}, immutable" if is_fixed else "no-cache"
    return {"Content-Type": "application/json", "Cache-Control": caching}, data

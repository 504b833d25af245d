# SPDX-License-Identifier: Apache-2.0
"""Small files by name, served below Django: no database, so that they outlive it being down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry.api.problems import Problem
from registry.api.wire import Application, Receive, Scope, Send, send_body, send_head, send_problem

from .errors import WrongMethod

YEAR_SECONDS = 365 * 24 * 3600
FOR_EVER = f"public, max-age={YEAR_SECONDS}, immutable"
METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFiles:
    """Answers the addresses of some files; everything else goes on to `inner`."""

    inner: Application
    name_of: Callable[[str], str]
    """The file's name at a path; empty where the path is none of ours."""
    read: Callable[[str], tuple[Mapping[str, str], bytes]]
    """Headers and content of a file; raises NotFound. Run in a thread."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        name = self.name_of(scope["path"]) if scope["type"] == "http" else ""
        if not name:
            await self.inner(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        try:
            _check_method(scope["method"])
            headers, data = await asyncio.to_thread(self.read, name)
        except Problem as problem:
            await send_problem(send, problem, is_head=is_head)
            return
        await send_head(send, 200, {**headers, "Content-Length": str(len(data))})
        await send_body(send, b"" if is_head else data)


def _check_method(method: str) -> None:
    if method not in METHODS:
        allowed = ", ".join(METHODS)
        raise WrongMethod(f"expected {allowed}, found {method[:20]}", headers={"Allow": allowed})

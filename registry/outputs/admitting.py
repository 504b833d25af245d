# SPDX-License-Identifier: Apache-2.0
"""Who may send much is asked before a byte of it is read: batches and media are up to 32 MiB.

What may be large waits in this process until all of it came. The views ask again, and more.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from registry.accounts import sessions, tokens
from registry.accounts.queries import Scope as TokenScope
from registry.api.problems import Problem
from registry.api.wire import Application, Receive, Scope, Send, header, send_problem
from registry.storage.streams import ask

LARGE = frozenset({"/api/v1/outputs/batch", "/api/v1/outputs/media"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitting:
    """Turns strangers away from these addresses; everything else goes on to `inner`."""

    inner: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in LARGE:
            try:
                await ask(_admit, scope)
            except Problem as refusal:
                await send_problem(send, refusal)
                return
        await self.inner(scope, receive, send)


def _admit(scope: Scope) -> None:
    """Raises a Problem for whoever has neither a token for outputs nor a session."""
    token = tokens.authenticate(header(scope, "Authorization"), now=timezone.now())
    if token is not None or sessions.person(header(scope, "Cookie")) is None:
        tokens.require(token, TokenScope.OUTPUTS)

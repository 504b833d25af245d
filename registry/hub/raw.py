# SPDX-License-Identifier: Apache-2.0
"""What the hub answers below Django, because bodies stream through it: one layer for all routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry.api.wire import Application, Receive, Scope, Send

from .errors import WrongMethod
from .refusing import preflight, refusing


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Addresses that are told by their decoded path, and what answers each method there."""

    is_ours: Callable[[str], bool]
    answers: Mapping[str, Application]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """Answers the addresses of its routes; everything else goes on to `inner`."""

    routes: tuple[Route, ...]
    inner: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        path = scope["path"] if scope["type"] == "http" else ""
        route = next((each for each in self.routes if each.is_ours(path)), None)
        if route is None:
            await self.inner(scope, receive, send)
            return
        async with refusing(scope, send):
            if scope["method"] == "OPTIONS":
                await preflight(send)
                return
            await _answer(route, scope["method"])(scope, receive, send)


def _answer(route: Route, method: str) -> Application:
    answer = route.answers.get(method)
    if answer is None:
        allowed = ", ".join((*route.answers, "OPTIONS"))
        raise WrongMethod(f"expected {allowed}, found {method[:20]}", headers={"Allow": allowed})
    return answer

# SPDX-License-Identifier: Apache-2.0
"""What a view demands of its caller: a scope for everything, or for writing only."""

from __future__ import annotations

import functools
from typing import ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from .errors import NotAllowed, ScopeMissing
from .models import Scope, Token, User
from .queries import SESSION_SCOPES
from .tokens import require

# By what a caller is known, as the OpenAPI document names it.
TOKEN, SESSION = "token", "cookieAuth"


class _Scoped(BasePermission):
    scope: ClassVar[Scope]
    is_reading_open: ClassVar[bool]
    schemes: ClassVar[frozenset[str]]

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False asks for credentials (401); the wrong ones raise ScopeMissing (403)."""
        if self.is_reading_open and request.method in SAFE_METHODS:
            return True
        if not isinstance(request.user, User):
            return False
        if isinstance(request.auth, Token):
            require(request.auth, self.scope)
            named = f"{view.kwargs.get('owner')}/{view.kwargs.get('project')}"
            check_project(request.auth, named)
            _check_minded(request.auth, view)
        elif self.scope not in SESSION_SCOPES:
            raise ScopeMissing(f"expected a token with scope {self.scope}, found a session")
        return True


def check_project(token: Token, named: str = "") -> None:
    """A project's token opens what names that project in its address, and nothing else."""
    if token.project and token.project != named:
        raise NotAllowed(f"expected what is {token.project}'s; this token is for nothing else")


def _check_minded(token: Token, view: APIView) -> None:
    """A token for some projects opens only views that say that they mind them (`minds_limits`)."""
    if token.projects and not getattr(view, "minds_limits", False):
        names = ", ".join(token.projects)
        raise NotAllowed(f"expected a token for all projects, found one for {names} alone")


class InBrowser(BasePermission):
    """A signed-in person: whoever finds a token must not be able to make more of them."""

    schemes = frozenset({SESSION})

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False asks for credentials; a token raises NotAllowed."""
        if isinstance(request.auth, Token):
            raise NotAllowed("expected a session in a browser, found a token")
        return isinstance(request.user, User)


@functools.cache
def HasScope(scope: str) -> type[BasePermission]:  # noqa: N802 - it stands where a class would
    """Every method needs the scope; a session has those of a person at a browser."""
    return _permission(scope, is_reading_open=False)


@functools.cache
def ScopeToWrite(scope: str) -> type[BasePermission]:  # noqa: N802 - as above
    """Anyone may read; what changes something needs the scope."""
    return _permission(scope, is_reading_open=True)


def _permission(scope: str, *, is_reading_open: bool) -> type[BasePermission]:
    name = f"{'ScopeToWrite' if is_reading_open else 'HasScope'}{scope.capitalize()}"
    found = Scope(scope)
    schemes = frozenset({TOKEN, SESSION} if found in SESSION_SCOPES else {TOKEN})
    own = {"scope": found, "is_reading_open": is_reading_open, "schemes": schemes}
    return type(name, (_Scoped,), own)

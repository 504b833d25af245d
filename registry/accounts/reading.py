# SPDX-License-Identifier: Apache-2.0
"""Whom private things are shown to: the one rule of every view (docs/spec/http.md).

This says in whose name a caller reads; whether that person may see a thing is for the app to say
whose thing it is. What is public asks nothing of this.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from .errors import Unauthenticated
from .models import Scope, Token, User
from .tokens import authenticate

# A token for reading; and one that makes such things, since whoever makes them has to follow them.
CHECKPOINTS = frozenset({Scope.READ, Scope.PUBLISH, Scope.NODE})  # and the blobs in them
OUTPUTS = frozenset({Scope.READ, Scope.OUTPUTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """Who reads what they signed: all of it, or where projects are named, what is theirs."""

    person: User | None
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredSignatory(Signatory):
    """One who is somebody."""

    person: User


def viewer(request: HttpRequest, scopes: frozenset[Scope]) -> User | None:
    """The person behind the request, by a token with one of the scopes or else by a session.

    Raises InvalidToken for a token that does not open; one for something else shows nothing.
    """
    token = _token(request)
    if token is not None:
        return reader(token, scopes)
    return request.user if isinstance(request.user, User) else None


def signatory(request: HttpRequest) -> Signatory:
    """The same for outputs alone, where a token for some projects shows what it may sign."""
    token = _token(request)
    if token is not None and token.projects:
        return Signatory(person=token.user, projects=tuple(token.projects))
    return Signatory(person=viewer(request, OUTPUTS))


def required_signatory(request: HttpRequest) -> RequiredSignatory:
    """The same, of somebody; raises Unauthenticated where nobody is known."""
    by = signatory(request)
    if by.person is None:
        raise Unauthenticated(
            f"expected a session, or a token with scope {' or '.join(sorted(OUTPUTS))}, found none"
        )
    return RequiredSignatory(person=by.person, projects=by.projects)


def reader(token: Token | None, scopes: frozenset[Scope]) -> User | None:
    """The token's person, if it has one of the scopes; one for projects alone reads for nobody."""
    if token is None or token.project or token.projects:
        return None
    return token.user if scopes.intersection(token.scopes) else None


def _token(request: HttpRequest) -> Token | None:
    """REST framework has looked already; for a plain view we look here."""
    if isinstance(request, Request):
        return request.auth if isinstance(request.auth, Token) else None
    return authenticate(request.headers.get("Authorization"), now=timezone.now())

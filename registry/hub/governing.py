# SPDX-License-Identifier: Apache-2.0
"""What owners decide of a repository: who sees it, what it is called, that it is no more."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from registry.accounts import queries as accounts
from registry.accounts.errors import NotAllowed
from registry.accounts.queries import Namespace, Token
from registry.catalog import services
from registry.catalog.errors import MayNotGovern
from registry.catalog.queries import Project, Visibility

from .answers import Asked, answer, endpoint
from .bodies import document, text
from .callers import project
from .errors import Unreadable, WrongMethod

MODEL = "model"


@endpoint
def delete(asked: Asked) -> HttpResponse:
    """The repository is gone, and its name with it."""
    body = _posted(asked.request, "DELETE")
    token = _governor(asked)
    owner = text(body, "organization", default=token.user.username)
    services.end(project(asked.by, owner, text(body, "name")), by=token.user)
    return answer({})


@endpoint
def move(asked: Asked) -> HttpResponse:
    """It has another name; the old one still leads to it."""
    body = _posted(asked.request, "POST")
    token = _governor(asked)
    found = project(asked.by, *_split(text(body, "fromRepo")))
    owner, name = _split(text(body, "toRepo"))
    services.move(found, _namespace(owner), name, by=token.user)
    return answer({})


def settings(asked: Asked, of: Project) -> HttpResponse:
    """Who sees it from now on."""
    token, body = _governor(asked), document(asked.request)
    wanted = visibility_of(body)
    if wanted is not None:
        of = services.show(of, wanted, by=token.user)
    return answer({"private": not of.is_public, "visibility": of.visibility})


def visibility_of(body: Mapping[str, object]) -> Visibility | None:
    """As older clients say it (`private`) and as newer ones do; None where neither is said."""
    match body:
        case {"visibility": "public" | "private" as named}:
            return Visibility(named)
        case {"visibility": other} if other is not None:
            raise Unreadable(
                f"expected the visibility public or private, found {str(other)[:40]!a}"
            )
        case {"private": bool(is_private)}:
            return Visibility.PRIVATE if is_private else Visibility.PUBLIC
        case _:
            return None


def check_kind(body: Mapping[str, object]) -> None:
    """Data sets and spaces are none."""
    kind = text(body, "type", default=MODEL)
    if kind != MODEL:
        raise Unreadable(f"expected a repository of type {MODEL}, found {kind[:40]!a}")


def _governor(asked: Asked) -> Token:
    """A person's token: what publishes to one project decides nothing about it."""
    token = asked.by.writer()
    if token.project:
        raise NotAllowed("expected a person's token, found one that publishes to one project")
    return token


def _posted(request: HttpRequest, method: str) -> Mapping[str, object]:
    if request.method != method:
        raise WrongMethod(f"expected {method}, found {request.method}", headers={"Allow": method})
    body = document(request)
    check_kind(body)
    return body


def _split(full_name: str) -> tuple[str, str]:
    owner, slash, name = full_name.partition("/")
    if not slash:
        raise Unreadable(f"expected owner/name, found {full_name[:80]!a}")
    return owner, name


def _namespace(name: str) -> Namespace:
    found = accounts.namespace(name)
    if found is None:
        raise MayNotGovern(f"expected a name that is yours to decide for, found {name[:80]!a}")
    return found

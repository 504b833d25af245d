# SPDX-License-Identifier: Apache-2.0
"""What owners decide of a repository: who sees it and has its files, its name, its end."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User
from registry.catalog import services
from registry.catalog.errors import MayNotGovern
from registry.catalog.queries import Project, Visibility
from registry.catalog.queries.gates import Gate

from . import infos
from .answers import Asked, answer, endpoint
from .bodies import document, text
from .callers import project
from .errors import Unreadable, WrongMethod

MODEL = "model"
GATES: Mapping[object, Gate] = {False: Gate.OPEN, "auto": Gate.AUTOMATIC, "manual": Gate.ASKS}


@endpoint
def delete(asked: Asked) -> HttpResponse:
    """The repository is gone, and its name with it."""
    body = _posted(asked.request, "DELETE")
    person = governor(asked)
    owner = text(body, "organization", default=person.username)
    services.end(project(asked.by, owner, text(body, "name")), by=person)
    return answer({})


@endpoint
def move(asked: Asked) -> HttpResponse:
    """It has another name; the old one still leads to it."""
    body = _posted(asked.request, "POST")
    person = governor(asked)
    found = project(asked.by, *_split(text(body, "fromRepo")))
    owner, name = _split(text(body, "toRepo"))
    services.move(found, _namespace(owner), name, by=person)
    return answer({})


def settings(asked: Asked, of: Project) -> HttpResponse:
    """Who sees it from now on, and who has its files."""
    person, body = governor(asked), document(asked.request)
    wanted, gate = visibility_of(body), _gate_of(body)
    if wanted is None and gate is None:
        raise Unreadable("expected private, visibility or gated to be said, found none of them")
    with transaction.atomic():  # both or neither
        if wanted is not None:
            of = services.show(of, wanted, by=person)
        if gate is not None:
            of = services.set_gate(of, gate, of.gate_message, by=person)
    said = {"private": not of.is_public, "visibility": of.visibility}
    return answer({**said, "gated": infos.GATES[of.gate]})


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
        case {"private": other} if other is not None:  # who means "yes" would be told that it is so
            raise Unreadable(f"expected private to be true or false, found {other!a:.40}")
        case _:
            return None


def _gate_of(body: Mapping[str, object]) -> Gate | None:
    """As the clients say it; None where nothing is said of it."""
    match body.get("gated"):
        case None:
            return None
        case False | "auto" | "manual" as said:
            return GATES[said]
        case other:
            raise Unreadable(f"expected gated to be false, auto or manual, found {other!a:.40}")


def check_kind(body: Mapping[str, object]) -> None:
    """Data sets and spaces are none."""
    kind = text(body, "type", default=MODEL)
    if kind != MODEL:
        raise Unreadable(f"expected a repository of type {MODEL}, found {kind[:40]!a}")


def governor(asked: Asked) -> User:
    """A person: what publishes to one project decides nothing about it."""
    return accounts.person_behind(asked.by.writer())


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

# SPDX-License-Identifier: Apache-2.0
"""Who a token is, as `hf auth whoami` and `login` ask; and whether a model card's YAML is any."""

from __future__ import annotations

from django.http import HttpResponse

from registry.accounts import queries as accounts
from registry.accounts.errors import Unauthenticated
from registry.accounts.queries import Scope, Token, User
from registry.catalog.content.formats import Refused, front_matter

from .answers import Asked, answer, endpoint
from .bodies import document, text
from .errors import WrongMethod


@endpoint
def whoami(asked: Asked) -> HttpResponse:
    """The person behind the token, and what it may do."""
    token = asked.by.token
    if token is None:
        raise Unauthenticated("expected a token, found none")
    person = token.user
    role = "write" if Scope.PUBLISH in token.scopes else "read"
    body = {
        "type": "user",
        "id": f"{person.pk:024x}",
        "name": person.username,
        "fullname": person.username,
        "email": None,
        "emailVerified": False,
        "isPro": False,
        "orgs": [] if token.project else _organisations(person),
        "auth": {"type": "access_token", "accessToken": _token(token, role)},
    }
    return answer(body)


@endpoint
def validate_yaml(asked: Asked) -> HttpResponse:
    """What is wrong with a card's front matter; clients ask before they upload one."""
    request = asked.request
    if request.method != "POST":
        raise WrongMethod(f"expected POST, found {request.method}", headers={"Allow": "POST"})
    wrong = _wrong(text(document(request), "content"))
    errors = [{"message": wrong}] if wrong else []
    return answer({"errors": errors, "warnings": []})


def _wrong(card: str) -> str:
    """Empty if it would pass the gate; it is judged by the same reader."""
    try:
        front_matter.read(card)
    except Refused as refused:
        return str(refused)
    return ""


def _organisations(person: User) -> list[dict[str, object]]:
    names = accounts.namespaces_of(person).exclude(pk=person.namespace_id)
    return [
        {"type": "org", "id": f"{each.pk:024x}", "name": each.name, "fullname": each.name}
        for each in names
    ]


def _token(token: Token, role: str) -> dict[str, object]:
    return {"displayName": token.label, "role": role}

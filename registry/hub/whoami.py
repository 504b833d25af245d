# SPDX-License-Identifier: Apache-2.0
"""Who a token is, as `hf auth whoami` and `login` ask; and whether a model card's YAML is any."""

from __future__ import annotations

import json

import yaml
from django.http import HttpResponse

from registry.accounts import queries as accounts
from registry.accounts.errors import Unauthenticated
from registry.accounts.queries import Scope, Token, User

from .answers import Asked, answer, endpoint
from .errors import Unreadable, WrongMethod

MAX_YAML_BYTES = 256 * 1024  # as a card
SEPARATOR = "---"


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
    try:
        content = json.loads(request.body)["content"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable('expected {"content": "…"}, found something else') from error
    wrong = _wrong(content) if isinstance(content, str) else "expected text"
    errors = [{"message": wrong}] if wrong else []
    return answer({"errors": errors, "warnings": []})


def _wrong(card: str) -> str:
    """Empty if the front matter is a mapping; events alone are read, so no alias multiplies."""
    lines = card.lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != SEPARATOR or SEPARATOR not in map(str.strip, lines[1:]):
        return ""
    end = [line.strip() for line in lines[1:]].index(SEPARATOR) + 1
    matter = "\n".join(lines[1:end])
    if len(matter.encode()) > MAX_YAML_BYTES:
        return f"expected front matter of at most {MAX_YAML_BYTES} bytes"
    try:
        events = list(yaml.parse(matter, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError) as error:
        return f"expected YAML: {' '.join(str(error).split())[:200]}"
    if any(isinstance(event, yaml.AliasEvent) for event in events):
        return "expected YAML without aliases"
    inside = events[2:3]
    if inside and not isinstance(inside[0], yaml.MappingStartEvent):
        return "expected a mapping of names to values"
    return ""


def _organisations(person: User) -> list[dict[str, object]]:
    names = accounts.namespaces_of(person).exclude(pk=person.namespace_id)
    return [
        {"type": "org", "id": f"{each.pk:024x}", "name": each.name, "fullname": each.name}
        for each in names
    ]


def _token(token: Token, role: str) -> dict[str, object]:
    return {"displayName": token.label, "role": role}

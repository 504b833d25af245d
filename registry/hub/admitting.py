# SPDX-License-Identifier: Apache-2.0
"""`…/user-access-request/…`: who asked for a gated repository's files, and what its owner answers.

For owners alone, in the words of the Hub's clients: pending, accepted, rejected. People ask on a
page (docs/spec/hub.md, section 3), where they read what the owner wants them to.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpResponse

from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.api.numbers import LAST_KEY, whole
from registry.api.problems import NotFound
from registry.catalog import services
from registry.catalog.errors import AccessUnknown, MayNotGovern, NotGated
from registry.catalog.queries import Project, gates
from registry.catalog.queries.gates import Access, AccessState

from .answers import Asked, answer, cursor_of, limit_of, next_page
from .bodies import document, text
from .errors import Unreadable
from .governing import governor
from .infos import time_of

STATES: Mapping[str, AccessState] = {
    "pending": AccessState.ASKED,
    "accepted": AccessState.GRANTED,
    "rejected": AccessState.REFUSED,
}
NAMES = {state: name for name, state in STATES.items()}
MAX_LISTED = 1000


def listed(asked: Asked, of: Project) -> HttpResponse:
    """Those who wait, were let in, or were refused."""
    _check_governs(asked, of)
    state = STATES.get("/".join(asked.words))
    if state is None:
        raise NotFound(f"expected one of {', '.join(STATES)} behind it")
    limit, cursor = limit_of(asked.request, most=MAX_LISTED), cursor_of(asked.request)
    rows = gates.asked(of, state).order_by("pk").filter(pk__gt=_number(cursor))
    page = list(rows[: limit + 1])
    headers = next_page(asked.request, str(page[limit - 1].pk) if len(page) > limit else None)
    return answer([_request(each) for each in page[:limit]], headers)


def answered(asked: Asked, of: Project) -> HttpResponse:
    """`handle` answers a request, `grant` lets in somebody who never asked."""
    person, body = governor(asked), document(asked.request)
    match asked.words:
        case ("handle",):
            state = STATES.get(text(body, "status"))
            if state is None:
                raise Unreadable(f"expected the status {', '.join(STATES)}, found another")
            reason = text(body, "rejectionReason", default="")
            services.decide(of, _person(of, body), state, by=person, reason=reason)
        case ("grant",):
            services.grant(of, _named(text(body, "user")), by=person)
        case _:
            raise NotFound("expected handle or grant behind it")
    return answer({})


def _check_governs(asked: Asked, of: Project) -> None:
    if not accounts.may_govern(governor(asked), of.owner):
        raise MayNotGovern(f"expected {of.owner.name}, or an owner of it")
    if not of.is_gated:
        raise NotGated(f"expected a gated project, found {of.full_name}, which is open")


def _person(of: Project, body: Mapping[str, object]) -> User:
    """By name, or by the number of what they asked."""
    if body.get("requestId") is None:
        return _named(text(body, "user"))
    number = _number(text(body, "requestId"))
    found = next((each.person for each in gates.all_of(of).filter(pk=number)), None)
    if found is None:
        raise AccessUnknown("expected the number of a request, found another")
    return found


def _named(name: str) -> User:
    found = accounts.user(name)
    if found is None:
        raise AccessUnknown(f"expected the name of a person, found {name[:80]!a}")
    return found


def _number(written: str) -> int:
    return whole(written, most=LAST_KEY) or 0


def _request(of: Access) -> dict[str, object]:
    name = of.person.username
    body: dict[str, object] = {
        "requestId": str(of.pk),
        "user": {"_id": f"{of.person.pk:024x}", "user": name, "fullname": name},
        "status": NAMES[AccessState(of.state)],
        "timestamp": time_of(of.asked_at),
    }
    return {**body, "fields": {"said": of.said}} if of.said else body

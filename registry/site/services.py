# SPDX-License-Identifier: Apache-2.0
"""The sign-in link that the supervisor prints: for the demo's person, once, for a while."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from registry.accounts import queries as accounts
from registry.accounts.queries import User

from .demo import USER
from .errors import TicketRefused

SALT = "registry.site.welcome"
VALID_FOR = timedelta(hours=12)  # the terminal that shows it may stay open for a day's work


def welcome_link() -> str:
    """An address that signs in the demonstration's person; the next sign-in of theirs voids it."""
    person = accounts.user(USER)
    if person is None:
        raise TicketRefused("expected the demonstration; make it with `manage.py demo`")
    ticket = signing.dumps(_state(person), salt=SALT)
    return settings.PUBLIC_URL + reverse("welcome", args=[ticket])


def redeem(ticket: str) -> User:
    """The person a ticket signs in. It names their last sign-in, and moves that time: once only."""
    try:
        state: dict[str, str] = signing.loads(ticket, salt=SALT, max_age=VALID_FOR)
    except signing.BadSignature as error:
        raise TicketRefused("expected a sign-in link that is whole and not expired") from error
    person = accounts.user(state["name"])
    if person is None or _state(person) != state or not _mark(person):
        raise TicketRefused("expected a sign-in link that was not used yet")
    return person


def _state(person: User) -> dict[str, str]:
    last = person.last_login
    return {"name": person.username, "last_login": last.isoformat() if last else ""}


def _mark(person: User) -> bool:
    """Of two requests with one ticket, the one that moves the time wins."""
    people = get_user_model().objects.filter(pk=person.pk, last_login=person.last_login)
    return people.update(last_login=timezone.now()) == 1

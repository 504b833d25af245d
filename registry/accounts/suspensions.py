# SPDX-License-Identifier: Apache-2.0
"""Whether a party is suspended, or a machine expelled: asked wherever either begins something.

A person who is suspended still signs in: to read why, to appeal, to take back what they agreed to.
All else that a form or a program would do in their session is refused (middleware.py), and
they have no tokens. What an organisation is suspended from is its own: its members go on elsewhere.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import F, OuterRef, Q, QuerySet
from django.utils import timezone

from registry.prepared import Given, Prepared

from .errors import NodeExpelled, Suspended
from .models import Namespace, Node, Suspension, User

CASES = "/community/cases"
_STANDING = Prepared(lambda party, at: of(party, at=at).values_list("pk", flat=True)[:1])


def of(
    party: Namespace | OuterRef | Given, *, at: datetime | Given | None = None
) -> QuerySet[Suspension]:
    """The suspensions of a party that are not over, now or at another moment."""
    rows = Suspension.objects.filter(party=party, lifted_at=None)
    return rows.filter(Q(until=None) | Q(until__gt=at or timezone.now()))


def is_suspended(party: Namespace) -> bool:
    """Whether one of them stands now."""
    return bool(_STANDING.all(party=party.pk, at=timezone.now()))


def check(party: Namespace) -> None:
    """Raises Suspended, which says until when, and where to read why and to appeal."""
    found = of(party).order_by(F("until").desc(nulls_first=True)).first()
    if found is not None:
        end = "for good" if found.until is None else f"until {found.until:%Y-%m-%d %H:%M} UTC"
        raise Suspended(
            f"expected a party in good standing, found {party.name}, which is suspended {end}: "
            f"read why, and appeal, at {settings.PUBLIC_URL}{CASES}/{found.case}"
        )


def hold(party: Namespace) -> None:
    """Nobody accepts rules in this name, nor is it suspended, until the transaction ends."""
    Namespace.objects.select_for_update(no_key=True).get(pk=party.pk)


def hold_person(party: Namespace) -> None:
    """Nothing is kept in the name of the person whose this is, until the transaction ends.

    For who suspends them, before `hold`; of an organisation there is nobody to hold.
    """
    list(User.objects.select_for_update(no_key=True).filter(namespace=party))


def check_admitted(node: Node) -> None:
    """Raises NodeExpelled; of a row that was just read."""
    if node.expelled_by is not None:
        raise NodeExpelled(
            "expected a machine that takes part, found one whose key was expelled: read why, and "
            f"appeal, at {settings.PUBLIC_URL}{CASES}/{node.expelled_by}"
        )


def hold_admitted(node: Node) -> None:
    """The same, and it is not expelled until the caller's transaction ends."""
    check_admitted(Node.objects.select_for_update(no_key=True).get(pk=node.pk))

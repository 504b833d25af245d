# SPDX-License-Identifier: Apache-2.0
"""Who stands under a policy: all are counted, and organisations named. People are not.

A person's acceptance is a commitment in the ledger, so that nobody learns who accepted; what people
consent to be found by is what they signed.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace

from . import standing
from .models import Acceptance, PolicyVersion

MOST = 10_000  # counted one by one
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisations:
    """Some of those that stand, by name, each with the newest version that it accepted."""

    listed: tuple[tuple[str, str], ...]
    has_more: bool

    @property
    def last(self) -> str:
        """The name after which the next ones come."""
        return self.listed[-1][0] if self.listed else ""


def count(policy: str, version: PolicyVersion | None = None) -> int:
    """How many people and organisations stand; one more than MOST for any number above it."""
    parties = _acceptances(policy, version).values("party").distinct()
    return parties[: MOST + 1].count()


def in_words(counted: int) -> str:
    """As it is shown."""
    return f"{MOST:,}+" if counted > MOST else f"{counted:,}"


def organisations(
    policy: str, version: PolicyVersion | None = None, *, after: str = "", most: int | None = None
) -> Organisations:
    """Those whose names come after this one: a page of them, or so many."""
    most = PAGE_SIZE if most is None else most
    standing_now = _acceptances(policy, version)
    named = accounts.organisation_names().filter(pk__in=standing_now.values("party"))
    found = list(named.filter(name__gt=after).order_by("name")[: most + 1])
    shown = found[:most]
    newest = _newest(standing_now, shown)
    return Organisations(
        listed=tuple((each.name, newest[each.pk]) for each in shown), has_more=len(found) > most
    )


def _acceptances(policy: str, version: PolicyVersion | None) -> QuerySet[Acceptance]:
    found = standing.unended().filter(version__policy=policy)
    return found if version is None else found.filter(version=version)


def _newest(among: QuerySet[Acceptance], parties: list[Namespace]) -> dict[int, str]:
    rows = among.filter(party__in=parties).order_by("version")
    return dict(rows.values_list("party", "version__version"))

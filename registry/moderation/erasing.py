# SPDX-License-Identifier: Apache-2.0
"""A person leaves: cases about them are nobody's, and say of nobody what happened.

Counts stay, and so do statements: the ledger never knew whom they are about, and with the salt gone
nobody can show it any more.
"""

from __future__ import annotations

from django.utils import timezone

from registry.accounts.queries import Namespace

from . import queries
from .models import Appeal, Case, Decision, Report, Sanction, State

NOTHING = b""
LEFT = "left"


def about(owner: Namespace) -> frozenset[int]:
    """The statements about what was decided against this owner, by their keys; before `erase`.

    Also of takedowns that were lifted, which no checkpoint knows of any more.
    """
    rows = Sanction.objects.filter(case__party=owner)
    return frozenset(rows.values_list("statement", flat=True))


def erase(owner: Namespace, *, stub: Namespace) -> None:
    """In the transaction that erases them. What is undecided about them is dismissed."""
    theirs = Case.objects.filter(party=owner)
    keys = list(theirs.values_list("pk", flat=True))
    theirs.filter(state__in=queries.UNDECIDED).update(
        state=State.DISMISSED, closed_at=timezone.now()
    )
    Case.objects.filter(pk__in=keys).update(party=stub, name=LEFT)
    Report.objects.filter(case__in=keys).update(words=LEFT, evidence="")
    Appeal.objects.filter(case__in=keys).update(words=LEFT)
    Decision.objects.filter(case__in=keys).update(reasons=LEFT, case_file=NOTHING)
    Sanction.objects.filter(case__in=keys).update(salt=NOTHING)

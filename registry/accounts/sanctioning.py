# SPDX-License-Identifier: Apache-2.0
"""What a sanction does to accounts, in the transaction that imposes or lifts it.

Each act returns what it did, for the audit, whose lock comes after all others (`journal`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from registry.audit import services as audit

from .errors import NodeExpelled
from .models import Namespace, Node, Suspension, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An action upon a subject, in the audit's words."""

    action: str
    subject: str


def suspend(party: Namespace, *, case: uuid.UUID, until: datetime | None) -> list[Act]:
    """From the commit on, of who holds the name (suspensions.hold). Tokens are revoked."""
    now = timezone.now()
    Suspension.objects.create(party=party, case=case, since=now, until=until)
    live = Token.objects.filter(user__namespace=party, revoked_at=None, expires_at__gt=now)
    revoked = list(live.order_by("pk").values_list("pk", flat=True))
    Token.objects.filter(pk__in=revoked).update(revoked_at=now)
    tokens = [Act(action="token.revoke", subject=f"token:{each}") for each in revoked]
    return [Act(action="party.suspend", subject=party.name), *tokens]


def expel(node: Node, *, case: uuid.UUID) -> list[Act]:
    """The machine's key takes part no more, whoever asks with it; raises NodeExpelled if so."""
    if not Node.objects.filter(pk=node.pk, expelled_by=None).update(expelled_by=case):
        raise NodeExpelled("expected a machine that takes part, found one that was expelled")
    return [Act(action="node.expel", subject=node.actor)]


def lift(case: uuid.UUID) -> list[Act]:
    """What the case imposed is over; tokens that were revoked stay so."""
    suspended = Suspension.objects.filter(case=case, lifted_at=None)
    names = suspended.values_list("party__name", flat=True)
    acts = [Act(action="party.readmit", subject=each) for each in names]
    suspended.update(lifted_at=timezone.now())
    expelled = Node.objects.filter(expelled_by=case)
    acts += [Act(action="node.readmit", subject=each.actor) for each in expelled]
    expelled.update(expelled_by=None)
    return acts


def journal(acts: Iterable[Act], *, case: uuid.UUID, by: str) -> None:
    """Rows of the audit."""
    for action, subject in ((each.action, each.subject) for each in acts):
        audit.record(by, action, subject, {"case": str(case)})

# SPDX-License-Identifier: Apache-2.0
"""What a sanction does to accounts, in the transaction that imposes or lifts it."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.utils import timezone

from registry.audit import services as audit

from . import tokens
from .models import Namespace, Node, Suspension, Token


def suspend(party: Namespace, *, case: uuid.UUID, until: datetime | None, by: str) -> None:
    """From the caller's commit on, who holds the name (suspensions.hold). Tokens are revoked."""
    now = timezone.now()
    Suspension.objects.create(party=party, case=case, since=now, until=until)
    live = Token.objects.select_related("user").filter(user__namespace=party, revoked_at=None)
    for token in live.filter(expires_at__gt=now):
        tokens.revoke_token(token, by=by)
    end = None if until is None else until.isoformat()
    audit.record(by, "party.suspend", party.name, {"case": str(case), "until": end})


def expel(node: Node, *, case: uuid.UUID, by: str) -> None:
    """The machine's key takes part no more, whoever asks with it."""
    Node.objects.filter(pk=node.pk).update(expelled_by=case)
    audit.record(by, "node.expel", node.actor, {"case": str(case)})


def lift(case: uuid.UUID, *, by: str) -> None:
    """What the case imposed is over; tokens that were revoked stay so."""
    suspended = Suspension.objects.select_related("party").filter(case=case, lifted_at=None)
    for each in list(suspended):
        audit.record(by, "party.readmit", each.party.name, {"case": str(case)})
    suspended.update(lifted_at=timezone.now())
    expelled = Node.objects.filter(expelled_by=case)
    for node in list(expelled):
        audit.record(by, "node.readmit", node.actor, {"case": str(case)})
    expelled.update(expelled_by=None)

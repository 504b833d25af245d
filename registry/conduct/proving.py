# SPDX-License-Identifier: Apache-2.0
"""What a party shows of its acceptance, to be held to what it signed by it (ADR 0058).

Revocation lists are no part of it here: whoever verifies has them from somewhere newer.
"""

from __future__ import annotations

from django.db.models import Case, Q, When

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.pseudonyms import PartyOpening
from registry.accounts.queries import Namespace
from registry.ledger import queries as ledger

from .errors import NotFound
from .models import Acceptance, PolicyVersion


def evidence(
    party: Namespace, version: PolicyVersion, *, before: int | None = None
) -> AcceptanceEvidence:
    """Of its acceptance of a version: one that stands, or else the newest of those that ended.

    Of one `before` an entry of the ledger: of those that stood when that was made, and no other.
    Of several one that a key signed, and of those the newest. Raises NotFound, or NotIncluded while
    there is no proof of any.
    """
    rows = Acceptance.objects.filter(party=party, version=version)
    if before is None:
        stood = Q(withdrawn_at__isnull=True)
    else:
        made_at = ledger.made_at(before)
        stood = Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=made_at)
        rows = rows.filter(stood, statement__entry__index__lt=before)
    ordered = rows.order_by(
        _last_where(Q(statement__entry__index__isnull=True)),
        _last_where(~stood),
        _last_where(Q(key__isnull=True)),
        "-id",
    )
    found = ordered.select_related("statement__entry", "party").first()
    if found is None:
        earlier = "" if before is None else f" that stood at entry {before}"
        raise NotFound(f"expected an acceptance of {version} by {party.name}{earlier}, found none")
    return of(found)


def _last_where(condition: Q) -> Case:
    return Case(When(condition, then=1), default=0)


def of(acceptance: Acceptance) -> AcceptanceEvidence:
    """The same of one that is known; raises NotIncluded."""
    bundle = ledger.bundle(acceptance.statement)
    return AcceptanceEvidence(
        bundle=bundle,
        opening=PartyOpening(party=acceptance.party.uri, salt=bytes(acceptance.salt)),
        consent=acceptance.signed,
        witnesses=ledger.witnesses((bundle,)),
    )

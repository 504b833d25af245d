# SPDX-License-Identifier: Apache-2.0
"""What a party shows of its acceptance, to be held to what it signed by it (ADR 0058).

Revocation lists are no part of it here: whoever verifies has them from somewhere newer.
"""

from __future__ import annotations

from django.db.models import F
from django.db.models.lookups import IsNull

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.pseudonyms import PartyOpening
from registry.accounts.queries import Namespace
from registry.ledger import queries as ledger

from .errors import NotFound
from .models import Acceptance, PolicyVersion


def evidence(
    party: Namespace, version: PolicyVersion, *, before: int | None = None
) -> AcceptanceEvidence:
    """Of its acceptance of a version, withdrawn since or not, which is an entry `before` this one.

    Of several one that a key of the party's own signed, and of those the newest. Raises NotFound,
    or NotIncluded while there is no proof.
    """
    rows = Acceptance.objects.filter(party=party, version=version)
    if before is not None:
        rows = rows.filter(statement__entry__index__lt=before)
    own_key_first = IsNull(F("key"), True).asc()  # noqa: FBT003 - Django's lookup, as it takes it
    found = rows.select_related("statement__entry", "party").order_by(own_key_first, "-id").first()
    if found is None:
        earlier = "" if before is None else f" before entry {before}"
        raise NotFound(f"expected an acceptance of {version} by {party.name}{earlier}, found none")
    return of(found)


def of(acceptance: Acceptance) -> AcceptanceEvidence:
    """The same of one that is known; raises NotIncluded."""
    bundle = ledger.bundle(acceptance.statement)
    return AcceptanceEvidence(
        bundle=bundle,
        opening=PartyOpening(party=acceptance.party.uri, salt=bytes(acceptance.salt)),
        consent=acceptance.signed,
        witnesses=ledger.witnesses((bundle,)),
    )

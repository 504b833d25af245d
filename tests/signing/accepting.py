# SPDX-License-Identifier: Apache-2.0
"""Evidence of acceptances in a throw-away registry, as their parties show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.certificates import Purpose
from assay.signing.pseudonyms import PartyOpening
from assay.signing.statements import (
    AcceptanceClaim,
    ConductReference,
    Consent,
    ConsentClaim,
    party_commitment,
)
from tests.signing.world import World, conduct_claim, conduct_reference

SALT = bytes(range(32))  # of a worked number: a real one is random


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """Who accepts what, and how it is recorded."""

    party: str = "alice"
    conduct: ConductReference | None = None
    """Else the one of these tests."""
    consent: Consent | None = None
    """To which the statement commits; it is shown, too."""
    salt: bytes = SALT
    office: tuple[Purpose, str] = (Purpose.CONDUCT, "conduct")
    """Who signs it."""
    says: datetime | None = None
    """When it was accepted; else when the world is."""
    stamped_at: datetime | None = None
    """Likewise."""


def consent_claim(world: World) -> ConsentClaim:
    """That Alice read the policy, and is bound by it."""
    return ConsentClaim(
        conduct=conduct_reference(),
        text_sha256=conduct_claim().text_sha256,
        party=f"{world.registry}/alice",
        agreed_at=world.at,
    )


def accepted(world: World, of: Accepting | None = None) -> AcceptanceEvidence:
    """The next entry of the ledger: what its party shows of it."""
    of = of or Accepting()
    party = f"{world.registry}/{of.party}"
    claim = AcceptanceClaim(
        conduct=of.conduct or conduct_reference(),
        commitment=party_commitment(of.salt, party),
        accepted_at=of.says or world.at,
        consent=None if of.consent is None else of.consent.commitment(of.salt),
    )
    purpose, path = of.office
    signed = world.sign(claim.statement(), purpose, path)
    if of.stamped_at is not None:
        stamp = world.timestamp(signed.envelope.signature, at=of.stamped_at)
        signed = replace(signed, timestamp=stamp)
    return AcceptanceEvidence(
        bundle=world.bundle(signed),
        opening=PartyOpening(party=party, salt=of.salt),
        consent=of.consent,
    )

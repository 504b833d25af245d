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
from tests.signing.world import World, conduct_reference

SALT = bytes(range(32))  # of a worked number: a real one is random
TEXT_SHA256 = "cd" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """Who accepts what, and how it is recorded."""

    party: str = "alice"
    conduct: ConductReference | None = None
    """Else the one of these tests."""
    consent: Consent | None = None
    """To which the statement commits; it is shown, too."""
    office: tuple[Purpose, str] = (Purpose.CONDUCT, "conduct")
    """Who signs it."""
    stamped_at: datetime | None = None
    """Else when the world is."""


def consent_claim(world: World) -> ConsentClaim:
    """That Alice read the policy, and is bound by it."""
    return ConsentClaim(
        conduct=conduct_reference(),
        text_sha256=TEXT_SHA256,
        party=f"{world.registry}/alice",
        agreed_at=world.at,
    )


def accepted(world: World, of: Accepting | None = None) -> AcceptanceEvidence:
    """The next entry of the ledger: what its party shows of it."""
    of = of or Accepting()
    party = f"{world.registry}/{of.party}"
    claim = AcceptanceClaim(
        conduct=of.conduct or conduct_reference(),
        commitment=party_commitment(SALT, party),
        accepted_at=world.at,
        consent=None if of.consent is None else of.consent.commitment(SALT),
    )
    purpose, path = of.office
    signed = world.sign(claim.statement(), purpose, path)
    if of.stamped_at is not None:
        stamp = world.timestamp(signed.envelope.signature, at=of.stamped_at)
        signed = replace(signed, timestamp=stamp)
    return AcceptanceEvidence(
        bundle=world.bundle(signed),
        opening=PartyOpening(party=party, salt=SALT),
        consent=of.consent,
    )

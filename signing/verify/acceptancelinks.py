# SPDX-License-Identifier: Apache-2.0
"""The links of an acceptance: to its party, to a consent, and to what was signed by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..canonical import instant_text
from ..digests import as_id
from ..errors import BadSignature, BrokenLink, KeyUnusable, WrongOpening
from ..pseudonyms import PartyOpening
from ..statements import (
    AcceptanceClaim,
    ConductReference,
    Consent,
    ConsentClaim,
    party_commitment,
)
from .links import same


def opening(claim: AcceptanceClaim, shown: PartyOpening) -> tuple[str, str]:
    """The acceptance is of the party that is named beside it, by its salted commitment."""
    found = party_commitment(shown.salt, shown.party)
    if found != claim.commitment:
        raise WrongOpening(
            f"expected the commitment {claim.commitment}, found {found} of {shown.party!a}"
        )
    return shown.party, f"{shown.party}, at {instant_text(claim.accepted_at)}"


def consent(
    claim: AcceptanceClaim, by: PartyOpening, shown: Consent, texts: Mapping[str, str]
) -> tuple[ConsentClaim, str]:
    """The acceptance commits to what a key signed, and that says the same.

    And is over the very text of that version, where `texts` has its digest, by the document's.
    """
    if claim.consent is None:
        raise BrokenLink("expected no consent, as the acceptance commits to none; found one")
    same("commitment to the consent", claim.consent, shown.commitment(by.salt))
    try:
        agreed = shown.claim()
    except KeyUnusable as error:
        raise BadSignature(str(error)) from error
    if agreed.conduct != claim.conduct:
        raise BrokenLink(
            f"expected a consent to {as_id(claim.conduct.sha256)}, "
            f"found one to {as_id(agreed.conduct.sha256)}"
        )
    if agreed.party != by.party:
        raise BrokenLink(f"expected the consent of {by.party}, found {agreed.party!a}")
    text = texts.get(claim.conduct.sha256)
    if text is not None:
        same("text that the key signed for", text, agreed.text_sha256)
    compared = "the version's own" if text is not None else "which is not at hand to compare"
    key = as_id(shown.key_sha256)
    return agreed, f"by the key {key}, over the text {as_id(agreed.text_sha256)}, {compared}"


def before(
    claim: AcceptanceClaim,
    party: str,
    under: ConductReference,
    *,
    entry: int,
    accepted_by: datetime,
    signed_by: datetime,
) -> tuple[AcceptanceClaim, str]:
    """Whoever signed something under a policy had accepted a version of it before.

    Both moments are those of timestamps; the acceptance is an earlier `entry` of the ledger, and
    does not say that it is newer than its own.
    """
    if claim.conduct.id != under.id:
        raise BrokenLink(
            f"expected an acceptance of {under.id!a}, found one of {claim.conduct.id!a}"
        )
    if claim.accepted_at > accepted_by:
        raise BrokenLink(
            f"expected an acceptance of {instant_text(accepted_by)} or before, as it is stamped, "
            f"found one that says {instant_text(claim.accepted_at)}"
        )
    if accepted_by > signed_by:
        raise BrokenLink(
            f"expected an acceptance that was signed by {instant_text(signed_by)}, "
            f"found one of {instant_text(accepted_by)}"
        )
    return claim, f"{party}, version {claim.conduct.version}, in entry {entry}"

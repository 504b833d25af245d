# SPDX-License-Identifier: Apache-2.0
"""Whether what was signed still counts: who was revoked, what is proven, how fresh the lists are.

A revoked certificate fails unless the signature is proven to be from before the moment that the
revocation counts from. Proven is what witnesses saw in the ledger (`inclusion.proven_at`); the
timestamp authority can be revoked itself, so its word alone rescues nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography.x509 import Certificate

from .. import crls, ocspstatus, timestamps
from ..bundle import Bundle
from ..canonical import instant_text
from ..revocation import Missing, NotRevoked, Revoked, Stale, Status, judge, worst
from ..values import dataclass
from .inclusion import proven_at
from .requirements import Basis

TIMESTAMP_ROLES = ("timestamp leaf", "timestamp intermediate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the certificates behind one signature stand."""

    proven_at: datetime | None
    """By when the signature is proven to have been made; None where no witnesses say so."""
    revoked: tuple[str, ...]
    """What was revoked, though only after that."""
    unknown: tuple[str, ...]
    """Of what it is not known, which the requirements accept."""
    listed_at: datetime | None
    """When the oldest list was made that says of one that it is not revoked; None without such."""
    signed_before: datetime
    """What the timestamp says; of an authority that was revoked since, what is proven instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the lists say about one certificate."""

    role: str
    status: Status


def standing(bundle: Bundle, basis: Basis, *, signed_at: datetime) -> tuple[Standing, str]:
    """How the certificates of signer and timestamp authority stand; raises why they do not.

    Both chains lead to the pinned root already, and `signed_at` is what the timestamp says.

    1. Of each certificate but the root, a list of its issuer or an OCSP answer says whether it was
       revoked. What does not revoke must still be current at the demanded moment, and not end
       before the signature.
    2. What was revoked counts if it is proven to be from before; this is judged first, as no
       requirement can relax it.
    3. What is stale or missing fails, unless the requirements accept it.
    """
    at = max(basis.requirements.as_of, signed_at)
    found = [
        _Found(role=role, status=_status(certificate, issuer, basis, at))  # 1
        for role, certificate, issuer in _certificates(bundle, basis.trust.root)
    ]
    proven = proven_at(bundle, basis)
    revoked = [each for each in found if isinstance(each.status, Revoked)]
    for each in (*revoked, *found):  # 2, 3
        judge(
            each.status,
            role=each.role,
            proven_at=proven,
            accept_unknown=basis.requirements.accepts_unknown,
        )
    is_dated = not any(each.role in TIMESTAMP_ROLES for each in revoked)
    result = Standing(
        proven_at=proven,
        revoked=tuple(each.role for each in revoked),
        unknown=tuple(each.role for each in found if isinstance(each.status, Stale | Missing)),
        listed_at=min(
            (each.status.said_at for each in found if isinstance(each.status, NotRevoked)),
            default=None,
        ),
        signed_before=signed_at if is_dated or proven is None else proven,
    )
    return result, _in_words(result, at)


def _certificates(
    bundle: Bundle, root: Certificate
) -> Iterator[tuple[str, Certificate, Certificate]]:
    """Each certificate that the signature rests on, and who issued it."""
    yield "leaf", bundle.chain.leaf, bundle.chain.intermediate
    yield "intermediate", bundle.chain.intermediate, root
    stamper = timestamps.chain(bundle.timestamp)
    leaf_role, intermediate_role = TIMESTAMP_ROLES
    yield leaf_role, stamper.leaf, stamper.intermediate
    yield intermediate_role, stamper.intermediate, root


def _status(certificate: Certificate, issuer: Certificate, basis: Basis, at: datetime) -> Status:
    log = basis.trust.certificate_log
    answered = [
        ocspstatus.status_of(certificate, issuer=issuer, response=each, log=log, at=at)
        for each in basis.answers
    ]
    listed = crls.status_of(certificate, issuer=issuer, lists=basis.lists, at=at)
    return worst([listed, *answered]) if answered else listed


def _in_words(found: Standing, at: datetime) -> str:
    if found.unknown:
        return f"NOT KNOWN, and accepted so: {', '.join(found.unknown)}"
    if found.revoked and found.proven_at is not None:
        names = ", ".join(found.revoked)
        return f"{names} revoked, but proven to be from before: {instant_text(found.proven_at)}"
    return f"not revoked, as of {instant_text(at)}"

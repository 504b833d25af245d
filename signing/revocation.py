# SPDX-License-Identifier: Apache-2.0
"""What is known about a certificate's revocation, and whether what it signed still counts.

Pure values and one judgement. Lists (RFC 5280) are made and read in crls, answers to single
questions (RFC 6960) in ocsp; both end in a `Status`. Nobody's word about a time is taken here: the
caller says what is proven.
"""

from __future__ import annotations

import re
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Self, TypeAlias

from . import canonical
from .canonical import Obj
from .errors import CertificateRevoked, InvalidDocument, RevocationUnknown
from .values import dataclass

MAX_SERIAL_BITS = 159  # RFC 5280, 4.1.2.2: 20 bytes, and positive
_SERIAL = re.compile(r"[1-9a-f][0-9a-f]{0,39}")


class Reason(StrEnum):
    """RFC 5280, 5.3.1. There is no hold: a revocation is for ever."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key-compromise"
    CA_COMPROMISE = "ca-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation-of-operation"
    PRIVILEGE_WITHDRAWN = "privilege-withdrawn"

    @property
    def number(self) -> int:
        """Its CRLReason."""
        return _NUMBERS[self]


_NUMBERS = {
    Reason.UNSPECIFIED: 0,
    Reason.KEY_COMPROMISE: 1,
    Reason.CA_COMPROMISE: 2,
    Reason.AFFILIATION_CHANGED: 3,
    Reason.SUPERSEDED: 4,
    Reason.CESSATION_OF_OPERATION: 5,
    Reason.PRIVILEGE_WITHDRAWN: 9,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One certificate, revoked by its issuer."""

    serial: int
    revoked_at: datetime
    reason: Reason
    invalid_from: datetime | None = None
    """Since when the key is known or thought to be in wrong hands (RFC 5280, 5.3.2)."""

    def __post_init__(self) -> None:
        if not 0 < self.serial < 1 << MAX_SERIAL_BITS:
            found = f"{self.serial:x}"[:40]
            raise InvalidDocument("serial", f"1 to {MAX_SERIAL_BITS} bits", found)
        if self.invalid_from is not None and self.invalid_from > self.revoked_at:
            expected = f"at most the revocation's {self.revoked_at:%Y-%m-%dT%H:%M:%SZ}"
            raise InvalidDocument(
                "invalid_from", expected, f"{self.invalid_from:%Y-%m-%dT%H:%M:%SZ}"
            )

    @classmethod
    def parse(cls, document: Obj) -> Self:
        """Read it out of an object that may have more fields."""
        serial, reason = canonical.text(document, "serial"), canonical.text(document, "reason")
        if not _SERIAL.fullmatch(serial):
            raise InvalidDocument("serial", "lower-case hexadecimal", ascii(serial[:80]))
        if reason not in {each.value for each in Reason}:
            raise InvalidDocument("reason", f"one of {', '.join(Reason)}", ascii(reason[:80]))
        return cls(
            serial=int(serial, 16),
            revoked_at=canonical.instant(document, "revoked_at"),
            reason=Reason(reason),
            invalid_from=canonical.nullable(document, "invalid_from", canonical.instant),
        )

    def to_json(self) -> dict[str, str | None]:
        """As it stands in requests to the signer, and in statements."""
        since = self.invalid_from
        return {
            "serial": f"{self.serial:x}",
            "reason": self.reason.value,
            "revoked_at": canonical.instant_text(self.revoked_at),
            "invalid_from": None if since is None else canonical.instant_text(since),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRevoked:
    """Its issuer said, for this moment, that it is not revoked."""

    said_at: datetime = field(compare=False)
    """When it said so: however long ago, it is the same finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """Its issuer revoked it; that stays true after the list that says so has aged."""

    reason: Reason
    revoked_at: datetime
    invalid_from: datetime | None

    @property
    def counts_from(self) -> datetime:
        """The moment from which nothing that it signed counts: the earlier of the two."""
        return min(self.revoked_at, self.invalid_from or self.revoked_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """What its issuer said has ended before the time asked about."""

    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Nothing at hand that its issuer said about it."""


Status: TypeAlias = NotRevoked | Revoked | Stale | Missing


def judge(
    status: Status, *, role: str, proven_at: datetime | None, accept_unknown: bool = False
) -> None:
    """Return if its signature counts; else raise CertificateRevoked or RevocationUnknown.

    1. A revoked certificate's signature counts only if it is proven to be from before the moment
       that the revocation counts from; without a proven time none does.
    2. What is stale or missing fails closed, unless the caller explicitly accepts not to know.
    """
    match status:
        case NotRevoked():
            return
        case Revoked():  # 1
            if proven_at is None or proven_at >= status.counts_from:
                raise CertificateRevoked(_revoked(status, role, proven_at))
        case Stale() | Missing():  # 2
            if not accept_unknown:
                raise RevocationUnknown(_unknown(status, role))


def worst(statuses: list[Status]) -> Status:
    """Of several findings about one certificate the one to go by: revoked, current, stale, none.

    Of several that revoke it, the one that counts from the earliest; of others, the newest.
    """
    if revoked := [each for each in statuses if isinstance(each, Revoked)]:
        return min(revoked, key=lambda each: each.counts_from)
    if current := [each for each in statuses if isinstance(each, NotRevoked)]:
        return max(current, key=lambda each: each.said_at)
    if stale := [each for each in statuses if isinstance(each, Stale)]:
        return max(stale, key=lambda each: each.next_update)
    return Missing()


def at_moment(this_update: datetime, next_update: datetime, at: datetime) -> NotRevoked | Stale:
    """What a finding that does not revoke is worth at a moment.

    One from after the moment says more about it than one from before: a revocation is for ever, so
    who is not revoked later was not revoked then (ADR 0010).
    """
    if at <= next_update:
        return NotRevoked(said_at=this_update)
    return Stale(this_update=this_update, next_update=next_update)


def _revoked(status: Revoked, role: str, proven_at: datetime | None) -> str:
    since = f"{status.counts_from:%Y-%m-%dT%H:%M:%SZ}"
    when = "none" if proven_at is None else f"{proven_at:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"expected a time proven before {since}, from which the {role} certificate is revoked "
        f"({status.reason}), found {when}"
    )


def _unknown(status: Stale | Missing, role: str) -> str:
    expected = f"expected a current statement of its issuer about the {role} certificate, found"
    match status:
        case Stale():
            start, end = status.this_update, status.next_update
            return f"{expected} one for {start:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ}"
        case Missing():
            return f"{expected} none"

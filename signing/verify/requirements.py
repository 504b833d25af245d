# SPDX-License-Identifier: Apache-2.0
"""What a verifier demands beyond a pinned root, and what one examination rests on.

There is no clock here: the moment at which knowledge has to be fresh is the verifier's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime

from ..acceptance import AcceptanceEvidence
from ..cosignatures import UNSAID, Witness
from ..errors import NotWitnessed, VerificationError
from ..evidence import Evidence
from ..tlog import Policy, Witnessed
from ..treehead import verify as verify_head
from ..trust import TrustRoot
from ..values import dataclass

LAST_SECOND = 253_402_300_799  # of the year 9999, the last that RFC 3339 can write


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What has to hold besides the pinned root, for a signature to count."""

    as_of: datetime
    """The moment for which it must be known whether certificates were revoked."""
    policy: Policy | None = None
    """Who has to have seen the ledger's tree heads; without one nobody, and no time is proven."""
    signer: str | None = None
    """The URI of whoever must have signed the artifact; without one, whoever may.

    A person's own, which an opening must lead to, or the pseudonym in the certificate."""
    signer_key: str | None = None
    """The SHA-256 of the SubjectPublicKeyInfo of the key that must have signed the artifact."""
    accepts_unknown: bool = False
    """Do without lists that are missing or stale, explicitly; a revoked certificate still fails."""
    accepts_excerpt: bool = False
    """Take an unbroken part of a text that was signed for it, explicitly: what is left out may
    change what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What every step of one examination rests on."""

    trust: TrustRoot
    requirements: Requirements
    lists: tuple[bytes, ...] = ()
    """The revocation lists at hand (DER), of whatever issuers."""
    answers: tuple[bytes, ...] = ()
    """OCSP answers at hand (DER), about whatever certificates."""
    parties: Mapping[str, str] | None = field(default_factory=dict[str, str])
    """Who is behind the pseudonyms that were opened; None where an opening opens none of them."""
    witnesses: tuple[Witness, ...] = ()
    """Whom the evidence names as having cosigned its tree heads. No time is proven by that."""
    bases: tuple[Evidence, ...] = ()
    """Of checkpoints that runs continued from, in any order; what nothing names is passed over."""
    texts: tuple[bytes, ...] = ()
    """Texts of conduct policies, as people read them; likewise."""
    acceptances: tuple[AcceptanceEvidence, ...] = ()
    """Of conduct policies, by whomever; those that nobody signed by are passed over."""
    anchors: bytes = b""
    """Whom to believe of C2PA manifests besides the root: certificates in PEM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A tree head that enough witnesses have seen: who, when, and since when enough of them."""

    witnesses: Mapping[str, datetime | None]
    """By their names in the policy; None for one that said no time."""
    since: datetime | None

    @classmethod
    def of(cls, found: Witnessed) -> Seen:
        """What a policy accepted."""
        when = {name: _moment(at) for name, at in sorted(found.seen_at.items())}
        return cls(witnesses=when, since=None if found.since is None else _moment(found.since))


def newest_seen(notes: Iterable[str], *, trust: TrustRoot, policy: Policy | None) -> datetime:
    """When the quorum had seen the newest of these tree heads; raises NotWitnessed if it saw none.

    That is the moment for which evidence speaks by itself (`assay verify --as-of evidence`).
    """
    if policy is None:
        raise NotWitnessed("expected a policy that names witnesses, found none")
    found = [_seen(note, trust, policy) for note in notes]
    times = [seen.since for seen in found if seen is not None and seen.since is not None]
    if not times:
        raise NotWitnessed(
            f"expected a tree head in the evidence that the quorum {policy.quorum} has seen, "
            f"found none among {len(found)}"
        )
    return max(times)


def _seen(note: str, trust: TrustRoot, policy: Policy) -> Seen | None:
    """None for a head that proves no time: what is wrong with it is said in the steps."""
    try:
        verify_head(note, trust.verifier)
        return Seen.of(policy.check(note))
    except VerificationError:
        return None


def _moment(seconds: int) -> datetime | None:
    """A witness's time; None for what is none."""
    if not UNSAID < seconds <= LAST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)

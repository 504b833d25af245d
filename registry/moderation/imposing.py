# SPDX-License-Identifier: Apache-2.0
"""What a confirmed decision does below this app, in the transaction that confirms it.

1. What is against the rules ends: a checkpoint is served no more, a party or a machine begins
   nothing more, a token opens nothing, certificates are revoked.
2. The registry's authority states it, with the clause and the digest of the case file.

Locks come as they do below: runs, then a party and what it accepted, the journal last. Raises
SignerError, and whatever the apps below refuse: a checkpoint that was taken down before, a
certificate that was revoked.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing.digests import sha256
from assay.signing.revocation import Reason
from assay.signing.statements import (
    SALT_BYTES,
    Breach,
    LiftingClaim,
    SanctionClaim,
    Sanctioned,
    sanctioned_commitment,
)
from registry.accounts import pseudonyms, sanctioning
from registry.accounts import queries as accounts
from registry.accounts import services as accounts_services
from registry.accounts.queries import SYSTEM
from registry.authority import issuing, revocations
from registry.catalog.services import stating, takedowns
from registry.catalog.services.takedowns import Finding, Order
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.ledger.queries import Statement
from registry.pool import leases

from . import queries, subjects
from .errors import NotDecidable
from .models import Case, Decision, Kind, Sanction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Imposed:
    """The sanction as it is carried out: against what, for which breach, in whose name."""

    case: Case
    decision: Decision
    breach: Breach
    salt: bytes
    at: datetime
    until: datetime | None

    @property
    def by(self) -> str:
        second = self.decision.confirmed_by
        return SYSTEM if second is None else second.actor


def impose(case: Case, decision: Decision, *, now: datetime) -> Sanction:
    """Both steps, and the row that keeps what opens the statement's commitment."""
    imposed = _Imposed(
        case=case,
        decision=decision,
        breach=_breach(decision),
        salt=secrets.token_bytes(SALT_BYTES),
        at=now,
        until=None if decision.days is None else now + timedelta(days=decision.days),
    )
    statement = _carry_out(imposed)
    return Sanction.objects.create(
        case=case,
        decision=decision,
        salt=imposed.salt,
        statement=statement,
        imposed_at=now,
        until=imposed.until,
    )


def lift(case: Case, *, by: str, now: datetime) -> None:
    """What can be given back is; certificates and tokens stay revoked, and others are issued."""
    sanction = queries.sanction(case)
    if sanction is None:
        raise NotDecidable("expected a sanction to lift, found none")
    takedowns.restore(case.pk, by=by)
    sanctioning.lift(case.pk, by=by)
    claim = LiftingClaim(statement_sha256=sanction.statement.sha256, lifted_at=now)
    sanction.lifting, sanction.lifted_at = revocations.log(claim), now
    sanction.save(update_fields=["lifting", "lifted_at"])


def _carry_out(imposed: _Imposed) -> Statement:
    match Kind(imposed.case.kind):
        case Kind.CHECKPOINT:
            return _take_down(imposed)
        case Kind.PARTY:
            return _suspend(imposed)
        case Kind.NODE:
            return _expel(imposed)
        case Kind.TOKEN:
            return _revoke_token(imposed)
        case Kind.CERTIFICATE:
            return _revoke_certificate(imposed)


def _take_down(imposed: _Imposed) -> Statement:
    """Its statement is the takedown's own, which comes with its evidence."""
    checkpoint = subjects.checkpoint(imposed.case)
    order = Order(
        reason=imposed.decision.reasons,
        by=imposed.by,
        is_everywhere=imposed.decision.is_everywhere,
        finding=Finding(case=imposed.case.pk, breach=imposed.breach),
    )
    takedowns.take_down_checkpoint(checkpoint, order)
    return stating.state_now(checkpoint)


def _suspend(imposed: _Imposed) -> Statement:
    party = imposed.case.party
    machines = list(accounts.nodes_of(party))
    leases.recall(machines, now=imposed.at)
    standing.hold_all(party)
    sanctioning.suspend(party, case=imposed.case.pk, until=imposed.until, by=imposed.by)
    _revoke_all({party.uri, pseudonyms.certified_as(party), *(each.uri for each in machines)})
    return _state(imposed, Sanctioned.PARTY, party.uri)


def _expel(imposed: _Imposed) -> Statement:
    node = subjects.node(imposed.case)
    leases.recall([node], now=imposed.at)
    sanctioning.expel(node, case=imposed.case.pk, by=imposed.by)
    _revoke_all({node.uri})
    return _state(imposed, Sanctioned.NODE, node.uri)


def _revoke_token(imposed: _Imposed) -> Statement:
    accounts_services.revoke_token(subjects.token(imposed.case), by=imposed.by)
    return _state(imposed, Sanctioned.TOKEN, imposed.case.name)


def _revoke_certificate(imposed: _Imposed) -> Statement:
    """In the ledger by itself, so that the statement names it by its digest."""
    serial = imposed.case.key
    revocations.revoke(serial, Reason.PRIVILEGE_WITHDRAWN)
    found = issuing.listed(serial)
    if found is None:
        raise NotDecidable("expected a certificate of ours, found none of this number")
    der = x509.load_pem_x509_certificate(found.pem.encode()).public_bytes(Encoding.DER)
    return _log(imposed, Sanctioned.CERTIFICATE, sha256(der))


def _revoke_all(uris: Collection[str]) -> None:
    for serial in revocations.live(uris):
        revocations.revoke(serial, Reason.PRIVILEGE_WITHDRAWN)


def _state(imposed: _Imposed, against: Sanctioned, name: str) -> Statement:
    return _log(imposed, against, sanctioned_commitment(imposed.salt, against, name))


def _log(imposed: _Imposed, against: Sanctioned, subject_sha256: str) -> Statement:
    claim = SanctionClaim(
        against=against,
        subject_sha256=subject_sha256,
        breach=imposed.breach,
        imposed_at=imposed.at,
        until=imposed.until,
    )
    return revocations.log(claim)


def _breach(decision: Decision) -> Breach:
    if decision.version is None:
        raise NotDecidable("expected a sanction for a clause, found none")
    return Breach(
        conduct=conduct.reference(decision.version),
        clause=decision.clause,
        evidence_sha256=decision.evidence_sha256,
    )

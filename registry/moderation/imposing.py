# SPDX-License-Identifier: Apache-2.0
"""What a confirmed decision does below this app, in the transaction that confirms it.

1. What is against the rules ends: a checkpoint is served no more, a party or a machine begins
   nothing more, a token opens nothing, certificates are revoked.
2. The registry's authority states it, with the clause and the digest of the case file.

Locks come in one order, in which whoever signs takes them, too: runs and leases; machines; a
person, their name and what they accepted; what records in the ledger (barring.hold); the journal,
which is why each step only says what it did, and all of it is journalled at the end. Raises
SignerError, and whatever the apps below refuse: what was taken down, expelled or revoked before.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
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
from registry.ledger import barring
from registry.ledger.queries import Statement
from registry.pool import leases

from . import queries, subjects
from .errors import NotDecidable
from .models import Case, Decision, Kind, Sanction

WITHDRAWN = Reason.PRIVILEGE_WITHDRAWN
COMMITTED = (Kind.PARTY, Kind.NODE, Kind.TOKEN)  # the others are in the ledger by themselves


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
        salt=imposed.salt if case.kind in COMMITTED else b"",
        statement=statement,
        imposed_at=now,
        until=imposed.until,
    )


def lift(case: Case, *, by: str, now: datetime) -> None:
    """What can be given back is; certificates and tokens stay revoked, and others are issued."""
    sanction = queries.sanction(case)
    if sanction is None:
        raise NotDecidable("expected a sanction to lift, found none")
    restored = takedowns.restore(case.pk)
    acts = sanctioning.lift(case.pk)
    claim = LiftingClaim(statement_sha256=sanction.statement.sha256, lifted_at=now)
    sanction.lifting, sanction.lifted_at = revocations.log(claim), now
    sanction.save(update_fields=["lifting", "lifted_at"])
    takedowns.tell_restored(restored, by=by)
    sanctioning.journal(acts, case=case.pk, by=by)


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
        finding=Finding(case=imposed.case.pk, breach=imposed.breach),
    )
    takedowns.take_down_checkpoint(checkpoint, order)
    return stating.stated(checkpoint)


def _suspend(imposed: _Imposed) -> Statement:
    """A lease that is claimed meanwhile ends at its next heartbeat, for want of standing."""
    party = imposed.case.party
    released = leases.recall(accounts.nodes_of(party), now=imposed.at)
    standing.hold_all(party)
    barring.hold()
    acts = sanctioning.suspend(party, case=imposed.case.pk, until=imposed.until)
    machines = {each.uri for each in accounts.nodes_of(party)}
    revoked = _revoked({party.uri, pseudonyms.certified_as(party), *machines})
    statement = _state(imposed, Sanctioned.PARTY, party.uri)
    leases.journal(released)
    revocations.journal(revoked, WITHDRAWN)
    sanctioning.journal(acts, case=imposed.case.pk, by=imposed.by)
    return statement


def _expel(imposed: _Imposed) -> Statement:
    node = subjects.node(imposed.case)
    released = leases.recall([node], now=imposed.at)
    acts = sanctioning.expel(node, case=imposed.case.pk)
    barring.hold()
    revoked = _revoked({node.uri})
    statement = _state(imposed, Sanctioned.NODE, node.uri)
    leases.journal(released)
    revocations.journal(revoked, WITHDRAWN)
    sanctioning.journal(acts, case=imposed.case.pk, by=imposed.by)
    return statement


def _revoke_token(imposed: _Imposed) -> Statement:
    token = subjects.token(imposed.case)
    if not token.is_live(imposed.at):
        raise NotDecidable("expected a token that opens something, found one that is over")
    statement = _state(imposed, Sanctioned.TOKEN, imposed.case.name)
    accounts_services.revoke_token(token, by=imposed.by)
    return statement


def _revoke_certificate(imposed: _Imposed) -> Statement:
    """In the ledger by itself, so that the statement names it by its digest."""
    serial = imposed.case.key
    found = issuing.listed(serial)
    if found is None:
        raise NotDecidable("expected a certificate of ours, found none of this number")
    der = x509.load_pem_x509_certificate(found.pem.encode()).public_bytes(Encoding.DER)
    barring.hold()
    revoked = revocations.revoke_all([serial], WITHDRAWN)
    statement = _log(imposed, Sanctioned.CERTIFICATE, sha256(der))
    revocations.journal(revoked, WITHDRAWN)
    return statement


def _revoked(uris: Collection[str]) -> Mapping[str, Statement]:
    return revocations.revoke_all(revocations.live(uris), WITHDRAWN)


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

# SPDX-License-Identifier: Apache-2.0
"""Deciding a case, or its appeal: one proposes, another confirms, and then it is done.

propose(case, proposal)   what waits for a second person; it binds nobody yet
confirm(decision)         the second one: the case is decided, and a sanction imposed or lifted
refuse(decision)          by anybody who decides, the first one too: it is nothing
appeal(case, words)       by whoever was sanctioned, once, until its deadline

Nobody whom a case concerns decides it, and nobody confirms what they reported or proposed; on
appeal, nor who had part in what is appealed (queries.check_second, and a constraint below it).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from assay.signing.digests import sha256
from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.audit import services as audit
from registry.authority import issuing, revocations
from registry.conduct.queries import PolicyVersion
from registry.wakeups import nudge

from . import imposing, queries, subjects
from .errors import InvalidDecision, NotAppealable, NotDecidable, NotFound, NothingToReport
from .models import MAX_REASONS, MAX_WORDS, Appeal, Case, Decision, Kind, Measure, State
from .reporting import check_clause

MAX_DAYS = 3650  # of a suspension; what is meant to be longer is for good
BECOMES = {
    Measure.DISMISS: State.DISMISSED,
    Measure.SANCTION: State.SANCTIONED,
    Measure.UPHOLD: State.UPHELD,
    Measure.LIFT: State.LIFTED,
}
DECIDES = {
    State.OPEN: frozenset({Measure.DISMISS, Measure.SANCTION}),
    State.APPEALED: frozenset({Measure.UPHOLD, Measure.LIFT}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What should come of a case, and why, in words that whom it concerns is given.

    A sanction is for a clause of a version that was reported. `days` are a suspension's, None is
    for good.
    """

    measure: Measure
    reasons: str
    version: PolicyVersion | None = None
    clause: str = ""
    days: int | None = None

    def __post_init__(self) -> None:
        _check_words("reasons", self.reasons, MAX_REASONS)
        if self.days is not None and not 1 <= self.days <= MAX_DAYS:
            raise InvalidDecision(f"days: expected 1 to {MAX_DAYS}, or none, found {self.days}")
        if self.measure is Measure.SANCTION:
            self._check_clause()

    def _check_clause(self) -> None:
        if self.version is None:
            raise InvalidDecision("clause: expected the clause that was broken, found none")
        try:
            check_clause(self.version, self.clause)
        except NothingToReport as error:
            raise InvalidDecision(str(error.detail)) from error


def propose(case: Case, proposal: Proposal, *, by: User) -> Decision:
    """Raises MayNotDecide, InvalidDecision, or NotDecidable where another proposal waits."""
    queries.check_moderator(by, case)
    _check_fits(case, proposal)
    try:
        with transaction.atomic():
            locked = _held(case)
            queries.check_moderator(by, locked)
            _check_measure(locked, proposal.measure)
            file = queries.case_file(locked)
            decision = Decision.objects.create(
                case=locked,
                measure=proposal.measure,
                version=proposal.version,
                clause=proposal.clause,
                reasons=proposal.reasons,
                days=proposal.days,
                case_file=file,
                evidence_sha256=sha256(file),
                proposed_by=by,
                proposed_at=timezone.now(),
            )
            details = {"measure": proposal.measure.value, "evidence": decision.evidence_sha256}
            audit.record(by.actor, "case.propose", locked.subject, details)
    except IntegrityError as error:
        raise NotDecidable(
            "expected a case without a proposal, found one that waits: confirm or refuse it first"
        ) from error
    return decision


def confirm(decision_id: int, *, of: Case, by: User) -> Case:
    """Decide the case, and impose or lift what follows, in one transaction.

    Raises MayNotDecide; NotDecidable where it was confirmed or refused before, or reports came
    since it was proposed; or what imposing raises, and then nothing has changed.
    """
    queries.check_moderator(by, of)
    issuing.ensure_office(revocations.OFFICE)
    with transaction.atomic():
        case = _held(of)
        decision = _waiting(case, decision_id)
        for each in (by, decision.proposed_by):
            queries.check_moderator(each, case)
        queries.check_second(by, decision)
        measure = Measure(decision.measure)
        _check_measure(case, measure)
        is_first = measure in DECIDES[State.OPEN]
        if is_first and queries.case_file(case) != bytes(decision.case_file):
            raise NotDecidable("expected the reports that it was proposed on, found more since")
        now = timezone.now().replace(microsecond=0)
        decision.confirmed_by, decision.confirmed_at = by, now
        decision.save(update_fields=["confirmed_by", "confirmed_at"])
        case.state, case.closed_at = BECOMES[measure], now
        case.save(update_fields=["state", "closed_at"])
        if measure is Measure.SANCTION:
            imposing.impose(case, decision, now=now)
        elif measure is Measure.LIFT:
            imposing.lift(case, by=by.actor, now=now)
        # Last: nobody who holds the journal waits for anything else.
        details = {"measure": measure.value, "evidence": decision.evidence_sha256}
        audit.record(by.actor, "case.decide", case.subject, details)
        nudge("ledger.integrate")
    return case


def refuse(decision_id: int, *, of: Case, by: User) -> None:
    """The proposal is nothing any more; raises MayNotDecide or NotDecidable."""
    queries.check_moderator(by, of)
    with transaction.atomic():
        decision = _waiting(_held(of), decision_id)
        decision.refused_at = timezone.now()
        decision.save(update_fields=["refused_at"])
        audit.record(by.actor, "case.refuse", of.subject, {"measure": decision.measure})


def appeal(case_id: uuid.UUID, words: str, *, by: User) -> Case:
    """Raises NotFound for who was not sanctioned, NotAppealable too late or a second time."""
    said = words.strip()
    _check_words("words", said, MAX_WORDS)
    with transaction.atomic():
        rows = Case.objects.select_for_update(of=("self",)).select_related("party")
        case = rows.filter(pk=case_id).first()
        if case is None or not accounts.may_govern(by, case.party):
            raise NotFound("expected a case that is yours to appeal, found none")
        now = timezone.now()
        sanction = queries.sanction(case)
        if sanction is None or case.state != State.SANCTIONED:
            raise NotAppealable(f"expected a sanction, once, found a case that is {case.state}")
        if now > queries.appeal_ends(sanction):
            raise NotAppealable(
                f"expected an appeal until {queries.appeal_ends(sanction):%Y-%m-%d}, "
                f"found {now:%Y-%m-%d}"
            )
        Appeal.objects.create(case=case, words=said, by=by, filed_at=now)
        case.state, case.closed_at = State.APPEALED, None
        case.save(update_fields=["state", "closed_at"])
        audit.record(by.actor, "case.appeal", case.subject, {})
    return case


def _held(of: Case) -> Case:
    """The case, locked; a checkpoint's with whoever answers for it by now: it may have moved."""
    case = Case.objects.select_for_update(of=("self",)).select_related("party").get(pk=of.pk)
    if case.kind == Kind.CHECKPOINT and case.state in queries.UNDECIDED:
        case.party = subjects.checkpoint(case).project.owner
        case.save(update_fields=["party"])
    return case


def _check_words(field: str, words: str, limit: int) -> None:
    if not words.strip() or len(words) > limit or "\0" in words:
        raise InvalidDecision(
            f"{field}: expected 1 to {limit} characters without NUL, found none, more, or one"
        )


def _check_fits(case: Case, proposal: Proposal) -> None:
    if proposal.days is not None and case.kind != Kind.PARTY:
        raise InvalidDecision(f"days: expected none for a {case.kind}, found {proposal.days}")
    reported = {each.version_id for each in queries.reports(case)}
    if proposal.version is not None and proposal.version.pk not in reported:
        raise InvalidDecision(
            f"clause: expected one of rules that were reported, found of {proposal.version}"
        )


def _check_measure(case: Case, measure: Measure) -> None:
    allowed = DECIDES.get(State(case.state), frozenset())
    if measure not in allowed:
        raise NotDecidable(
            f"expected {' or '.join(sorted(allowed)) or 'nothing'} of a case that is {case.state}, "
            f"found {measure}"
        )


def _waiting(case: Case, decision_id: int) -> Decision:
    parts = ("version", "proposed_by")
    rows = Decision.objects.select_for_update(of=("self",)).select_related(*parts)
    found = rows.filter(case=case, pk=decision_id, confirmed_at=None, refused_at=None).first()
    if found is None:
        raise NotDecidable("expected a proposal that waits, found one that is over, or none")
    found.case = case
    return found

# SPDX-License-Identifier: Apache-2.0
"""A report opens a case, or joins one: about what, for which clause, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from registry.accounts import staying
from registry.accounts.queries import User
from registry.audit import services as audit
from registry.conduct import queries as conduct
from registry.conduct.queries import PolicyVersion

from . import queries
from .errors import AlreadyReported, NothingToReport
from .models import MAX_WORDS, Case, Kind, Report, State
from .subjects import Subject

MAX_WAITING = 20  # reports of one person, so that nobody fills the queue alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Accusation:
    """A clause of a version, in which words it was broken, and what shows that."""

    version: PolicyVersion
    clause: str
    words: str
    evidence: str = ""

    def __post_init__(self) -> None:
        check_clause(self.version, self.clause)
        if not 1 <= len(self.words.strip()) <= MAX_WORDS:
            raise NothingToReport(
                f"words: expected 1 to {MAX_WORDS} characters, found none or more"
            )
        if "\0" in self.words + self.evidence:
            raise NothingToReport("words: expected text without NUL, found one")
        if len(self.evidence) > MAX_WORDS:
            raise NothingToReport(f"evidence: expected at most {MAX_WORDS} characters, found more")


def check_clause(version: PolicyVersion, clause: str) -> None:
    """Raises NothingToReport for one that the version does not have."""
    known = [each.id for each in conduct.rules(version).clauses]
    if clause not in known:
        raise NothingToReport(
            f"clause: expected one of {version}, such as {known[0]}, found {clause[:80]!r}"
        )


def report(subject: Subject, said: Accusation, *, by: User) -> Case:
    """Keep it, in the case that is open about its subject, or in a new one.

    One that is decided, or appealed, stands on what was reported until then. Raises AlreadyReported
    for a second one of the same person's, or when too many of theirs wait; NothingToReport for what
    is their own, and for a clause of rules that the subject is not under.
    """
    if queries.has_part_in(by, subject.party):
        raise NothingToReport(f"about: expected what is somebody else's, found {subject.name}")
    if subject.kind == Kind.CHECKPOINT and said.version != subject.rules:
        raise NothingToReport(f"clause: expected one of {subject.rules}, found of {said.version}")
    with transaction.atomic():
        staying.hold_alone(by)  # their reports are counted
        case, is_new = _opened(subject)
        _check_number(case, by)
        Report.objects.create(
            case=case,
            version=said.version,
            clause=said.clause,
            words=said.words.strip(),
            evidence=said.evidence.strip(),
            by=by,
            reported_at=timezone.now().replace(microsecond=0),
        )
        details = {"clause": f"{said.version}#{said.clause}", "is_new": is_new}
        audit.record(by.actor, "case.report", case.subject, details)
    return case


def _opened(subject: Subject) -> tuple[Case, bool]:
    """The open case, locked, and whether it is new."""
    rows = Case.objects.filter(kind=subject.kind, key=subject.key, state=State.OPEN)
    found = rows.select_for_update().first()  # asked again by the database, with the lock
    if found is not None:
        return found, False
    values = {"name": subject.name, "party": subject.party}
    return rows.get_or_create(kind=subject.kind, key=subject.key, state=State.OPEN, defaults=values)


def _check_number(case: Case, by: User) -> None:
    if queries.is_reporter(by, case):
        raise AlreadyReported("expected one report of each person, found that you reported it")
    if queries.open_reports(by) >= MAX_WAITING:
        raise AlreadyReported(
            f"expected fewer than {MAX_WAITING} reports of yours that wait for a decision"
        )

# SPDX-License-Identifier: Apache-2.0
"""Three who run the registry, what people report to them, and how they decide."""

from __future__ import annotations

from dataclasses import dataclass

from registry.accounts import services as accounts
from registry.accounts.models import User
from registry.conduct.models import PolicyVersion
from registry.moderation import deciding, reporting, subjects
from registry.moderation.deciding import Proposal
from registry.moderation.models import Case, Decision, Measure
from registry.moderation.reporting import Accusation

WORDS = "It was made to defraud, and says so."
REASONS = "The card offers it for forging invoices."


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """They have no part in anything but deciding."""

    dora: User
    emil: User
    frida: User


def seated() -> Court:
    """Makes them."""
    dora, emil, frida = (
        accounts.create_user(name, is_staff=True) for name in ("dora", "emil", "frida")
    )
    return Court(dora=dora, emil=emil, frida=frida)


def reported(about: str, by: User, *, clause: int = 0, words: str = WORDS) -> Case:
    """A case, by the clause of what it is under with this number."""
    subject = subjects.named(about, by)
    said = Accusation(
        version=subject.rules,
        clause=clause_of(subject.rules, clause),
        words=words,
        evidence="https://example.org/invoice.txt",
    )
    return reporting.report(subject, said, by=by)


def clause_of(version: PolicyVersion, number: int = 0) -> str:
    """The id of a version's clause."""
    return str(version.document["clauses"][number]["id"])


def sanction(case: Case, *, days: int | None = None) -> Proposal:
    """For what was reported first."""
    report = case.reports.select_related("version").order_by("pk")[0]
    return Proposal(
        measure=Measure.SANCTION,
        reasons=REASONS,
        version=report.version,
        clause=report.clause,
        days=days,
    )


def dismissal() -> Proposal:
    """That it was no breach."""
    return Proposal(measure=Measure.DISMISS, reasons="It is a joke, and reads as one.")


def decided(case: Case, court: Court, proposal: Proposal) -> Case:
    """Proposed by Dora, confirmed by Emil."""
    decision = deciding.propose(case, proposal, by=court.dora)
    return confirmed(decision, court.emil)


def confirmed(decision: Decision, by: User) -> Case:
    """By whom."""
    return deciding.confirm(decision.pk, of=decision.case, by=by)

# SPDX-License-Identifier: Apache-2.0
"""The public account of moderation: counts by clause and outcome, of a year; it names nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Min

from registry.catalog.queries import takedowns

from .models import Appeal, Case, Decision, Measure, Report, Sanction

CLAUSE = ("version__policy", "clause")
FIRST_DECISIONS = (Measure.DISMISS, Measure.SANCTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """What began in a year of UTC, and what was decided in it.

    Clauses are `POLICY#CLAUSE`, those of all versions together. `ordered` checkpoints were taken
    down without a case: by a court's order, or the operator's. `median_hours` are from a case's
    beginning to its first decision; None where nothing was decided.
    """

    year: int
    reports: Mapping[str, int]
    sanctions: Mapping[str, int]
    against: Mapping[str, int]
    cases: int
    dismissed: int
    appeals: int
    upheld: int
    lifted: int
    ordered: int
    median_hours: float | None

    @property
    def clauses(self) -> list[tuple[str, int, int]]:
        """Each clause with its reports and its sanctions, the most reported first."""
        named = self.reports.keys() | self.sanctions.keys()
        rows = [(each, self.reports.get(each, 0), self.sanctions.get(each, 0)) for each in named]
        return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))

    @property
    def sanctioned(self) -> int:
        """How many sanctions were imposed."""
        return sum(self.against.values())


def years(*, now: datetime) -> tuple[int, ...]:
    """From the first report's or takedown's on to this one, the newest first."""
    reported = Report.objects.aggregate(at=Min("reported_at"))["at"]
    begun = [at for at in (reported, takedowns.first_ordered_at(), now) if at is not None]
    return tuple(range(now.year, min(begun).year - 1, -1))


def of(year: int) -> Year:
    """What is published of a year."""
    decided = Decision.objects.filter(confirmed_at__year=year)
    measures = Counter(decided.values_list("measure", flat=True))
    imposed = Sanction.objects.filter(imposed_at__year=year)
    first = decided.filter(measure__in=FIRST_DECISIONS)
    taken = first.values_list("case__opened_at", "confirmed_at")
    return Year(
        year=year,
        reports=_counted(Report.objects.filter(reported_at__year=year).values_list(*CLAUSE)),
        sanctions=_counted(imposed.values_list(*(f"decision__{each}" for each in CLAUSE))),
        against=dict(Counter(imposed.values_list("case__kind", flat=True))),
        cases=Case.objects.filter(opened_at__year=year).count(),
        dismissed=measures[Measure.DISMISS],
        appeals=Appeal.objects.filter(filed_at__year=year).count(),
        upheld=measures[Measure.UPHOLD],
        lifted=measures[Measure.LIFT],
        ordered=takedowns.ordered_in(year),
        median_hours=_median_hours(taken),
    )


def _counted(clauses: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    return dict(Counter(f"{policy}#{clause}" for policy, clause in clauses))


def _median_hours(taken: Iterable[tuple[datetime, datetime | None]]) -> float | None:
    hours = [(end - start).total_seconds() / 3600 for start, end in taken if end is not None]
    return round(max(0.0, median(hours)), 1) if hours else None

# SPDX-License-Identifier: Apache-2.0
"""The claim that a registry exported what was signed in one name during a period.

It names nobody: the ledger shows that there was such an export, and of how many entries' span.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from .. import canonical
from ..errors import InvalidDocument
from ..values import dataclass
from .statement import PERIOD_V1, Statement, Subject, predicate_of, same

SUBJECT = "period-export"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodClaim:
    """Lines with this digest are all that was signed in one name from one entry up to another."""

    lines_sha256: str
    lines: int
    first: int
    """The index of the first ledger entry of the period."""
    end: int
    """The index after its last one."""
    made_at: datetime

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(statement, PERIOD_V1, "lines", "first", "end", "made_at")
        claim = cls(
            lines_sha256=statement.subjects[0].sha256,
            lines=canonical.integer(predicate, "lines"),
            first=canonical.integer(predicate, "first"),
            end=canonical.integer(predicate, "end"),
            made_at=canonical.instant(predicate, "made_at"),
        )
        if claim.end < claim.first:
            raise InvalidDocument("end", f"at least {claim.first}", str(claim.end))
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(Subject(name=SUBJECT, sha256=self.lines_sha256),),
            predicate_type=PERIOD_V1,
            predicate={
                "lines": self.lines,
                "first": self.first,
                "end": self.end,
                "made_at": canonical.instant_text(self.made_at),
            },
        )

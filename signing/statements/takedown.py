# SPDX-License-Identifier: Apache-2.0
"""The claim that the registry took a checkpoint down: why, and when. What was signed stays true."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from .. import canonical
from ..values import dataclass
from .references import as_reference, reference
from .sanction import Breach
from .statement import TAKEDOWN_V1, TAKEDOWN_V2, Statement, Subject, predicate_of, same


@dataclass(frozen=True, slots=True, kw_only=True)
class TakedownClaim:
    """The registry serves a checkpoint's files no more.

    Others may have published the same files: the statement about it says which checkpoint is meant.
    Where it was for a breach of conduct (version 2), the clause and the evidence are named.
    """

    checkpoint_sha256: str
    checkpoint_statement_sha256: str
    reason: str
    taken_down_at: datetime
    breach: Breach | None = None

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        fields = ("statement", "reason", "taken_down_at")
        if is_breach := statement.predicate_type == TAKEDOWN_V2:
            predicate = predicate_of(statement, TAKEDOWN_V2, *fields, "breach")
        else:
            predicate = predicate_of(statement, TAKEDOWN_V1, *fields)
        claim = cls(
            checkpoint_sha256=statement.subjects[0].sha256,
            checkpoint_statement_sha256=reference(predicate, "statement"),
            reason=canonical.text(predicate, "reason"),
            taken_down_at=canonical.instant(predicate, "taken_down_at"),
            breach=Breach.parse(predicate, "breach") if is_breach else None,
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        breach = {} if self.breach is None else {"breach": self.breach.to_json()}
        return Statement(
            subjects=(Subject(name="checkpoint", sha256=self.checkpoint_sha256),),
            predicate_type=TAKEDOWN_V1 if self.breach is None else TAKEDOWN_V2,
            predicate={
                "statement": as_reference(self.checkpoint_statement_sha256),
                "reason": self.reason,
                "taken_down_at": canonical.instant_text(self.taken_down_at),
                **breach,
            },
        )

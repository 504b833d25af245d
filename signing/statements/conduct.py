# SPDX-License-Identifier: Apache-2.0
"""The claims that a conduct policy's version came into effect, and that somebody accepted it.

Version 2 of an acceptance commits to what the party signed with a key of its own (consent.py); of
one that was given without a key there is version 1 alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from .. import canonical
from ..canonical import Obj
from ..values import dataclass
from .references import ConductReference, commitment, reference
from .statement import ACCEPTANCE_V1, ACCEPTANCE_V2, CONDUCT_V1, Statement, predicate_of, same

_ACCEPTANCE = ("conduct", "party", "accepted_at")
_CONSENT = "consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConductClaim:
    """A conduct policy's version came into effect."""

    conduct: ConductReference
    title: str
    severity: str
    effective_at: datetime
    text_sha256: str

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(
            statement, CONDUCT_V1, "id", "version", "title", "severity", "effective_at", "text"
        )
        claim = cls(
            conduct=ConductReference(
                id=canonical.text(predicate, "id"),
                version=canonical.text(predicate, "version"),
                sha256=statement.subjects[0].sha256,
            ),
            title=canonical.text(predicate, "title"),
            severity=canonical.text(predicate, "severity"),
            effective_at=canonical.instant(predicate, "effective_at"),
            text_sha256=reference(predicate, "text"),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(self.conduct.subject,),
            predicate_type=CONDUCT_V1,
            predicate={
                "id": self.conduct.id,
                "version": self.conduct.version,
                "title": self.title,
                "severity": self.severity,
                "effective_at": canonical.instant_text(self.effective_at),
                "text": {"sha256": self.text_sha256},
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceClaim:
    """Somebody, known to whoever holds the salt, accepted a conduct policy's version."""

    conduct: ConductReference
    commitment: str
    accepted_at: datetime
    consent: str | None = None
    """The commitment to what the party's own key signed; None in version 1."""

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        has_consent = statement.predicate_type == ACCEPTANCE_V2
        if has_consent:
            predicate = predicate_of(statement, ACCEPTANCE_V2, *_ACCEPTANCE, _CONSENT)
        else:
            predicate = predicate_of(statement, ACCEPTANCE_V1, *_ACCEPTANCE)
        claim = cls(
            conduct=ConductReference.parse(predicate, "conduct"),
            commitment=commitment(predicate, "party"),
            accepted_at=canonical.instant(predicate, "accepted_at"),
            consent=commitment(predicate, _CONSENT) if has_consent else None,
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        given: Obj = {} if self.consent is None else {_CONSENT: {"commitment": self.consent}}
        return Statement(
            subjects=(self.conduct.subject,),
            predicate_type=ACCEPTANCE_V2 if given else ACCEPTANCE_V1,
            predicate={
                "conduct": self.conduct.to_json(),
                "party": {"commitment": self.commitment},
                "accepted_at": canonical.instant_text(self.accepted_at),
                **given,
            },
        )

# SPDX-License-Identifier: Apache-2.0
"""Claims that a sanction was imposed for a breach of conduct, and that one was lifted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from .. import canonical
from ..canonical import Obj
from ..errors import InvalidDocument
from ..values import dataclass
from .references import ConductReference, as_reference, commit, reference
from .statement import LIFTING_V1, SANCTION_V1, Statement, Subject, predicate_of, same


class Sanctioned(StrEnum):
    """What a sanction is against, and so what it does; a checkpoint's is its takedown."""

    PARTY = "party"
    """Suspended: nothing is signed for it, leased to it or published by it."""
    NODE = "node"
    """Expelled: the machine's key joins no run."""
    TOKEN = "token"  # noqa: S105 - the kind of a thing, not a secret
    """Revoked."""
    CERTIFICATE = "certificate"
    """Revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Which clause was broken, of exactly which rules, and the digest of what shows it."""

    conduct: ConductReference
    clause: str
    evidence_sha256: str

    @classmethod
    def parse(cls, obj: Obj, field: str) -> Self:
        """Read the breach in one field."""
        inner = canonical.mapping(obj, field)
        with canonical.within(field):
            canonical.only(inner, "conduct", "clause", "evidence")
            return cls(
                conduct=ConductReference.parse(inner, "conduct"),
                clause=canonical.text(inner, "clause"),
                evidence_sha256=reference(inner, "evidence"),
            )

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "conduct": self.conduct.to_json(),
            "clause": self.clause,
            "evidence": as_reference(self.evidence_sha256),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionClaim:
    """The registry sanctioned somebody or something for a breach of conduct.

    `subject_sha256` is a commitment (`sanctioned_commitment`), that the ledger names nobody; of a
    certificate, which is in the ledger itself, the digest of its DER.
    """

    against: Sanctioned
    subject_sha256: str
    breach: Breach
    imposed_at: datetime
    until: datetime | None

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(statement, SANCTION_V1, "breach", "imposed_at", "until")
        subject = statement.subjects[0]
        claim = cls(
            against=_against(subject.name),
            subject_sha256=subject.sha256,
            breach=Breach.parse(predicate, "breach"),
            imposed_at=canonical.instant(predicate, "imposed_at"),
            until=canonical.nullable(predicate, "until", canonical.instant),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(Subject(name=self.against.value, sha256=self.subject_sha256),),
            predicate_type=SANCTION_V1,
            predicate={
                "breach": self.breach.to_json(),
                "imposed_at": canonical.instant_text(self.imposed_at),
                "until": None if self.until is None else canonical.instant_text(self.until),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftingClaim:
    """The registry lifted what a statement of its own had imposed: a sanction, or a takedown."""

    statement_sha256: str
    lifted_at: datetime

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(statement, LIFTING_V1, "lifted_at")
        claim = cls(
            statement_sha256=statement.subjects[0].sha256,
            lifted_at=canonical.instant(predicate, "lifted_at"),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(Subject(name="sanction", sha256=self.statement_sha256),),
            predicate_type=LIFTING_V1,
            predicate={"lifted_at": canonical.instant_text(self.lifted_at)},
        )


def sanctioned_commitment(salt: bytes, against: Sanctioned, name: str) -> str:
    """The commitment to whom or what a sanction is against; raises InvalidDocument."""
    return commit(salt, {against.value: name})


def _against(name: str) -> Sanctioned:
    try:
        return Sanctioned(name)
    except ValueError:
        expected = ", ".join(Sanctioned)
        raise InvalidDocument("subject", f"one of {expected}", ascii(name)) from None

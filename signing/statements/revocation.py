# SPDX-License-Identifier: Apache-2.0
"""The claim that the registry revoked a certificate: why, and from when it counts."""

from __future__ import annotations

from typing import Self

from .. import canonical
from ..crls import ROOT
from ..intermediates import Name
from ..revocation import Revocation
from ..values import dataclass
from .statement import REVOCATION_V1, Statement, Subject, predicate_of, same


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationClaim:
    """The registry revoked a certificate: an intermediate's leaf, or the root's intermediate."""

    certificate_sha256: str
    issuer: str
    """`root`, or the name of an intermediate, as in the address of its revocation list."""
    revocation: Revocation

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(
            statement, REVOCATION_V1, "issuer", "serial", "reason", "revoked_at", "invalid_from"
        )
        issuer = canonical.text(predicate, "issuer")
        if issuer != ROOT:
            Name.parse(issuer)
        claim = cls(
            certificate_sha256=statement.subjects[0].sha256,
            issuer=issuer,
            revocation=Revocation.parse(predicate),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        name = f"certificate/{self.revocation.serial:x}"
        return Statement(
            subjects=(Subject(name=name, sha256=self.certificate_sha256),),
            predicate_type=REVOCATION_V1,
            predicate={"issuer": self.issuer, **self.revocation.to_json()},
        )

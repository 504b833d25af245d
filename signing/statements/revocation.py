# SPDX-License-Identifier: Apache-2.0
"""The claim that the registry revoked a certificate: why, and from when it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from .. import canonical
from ..certificates import Purpose
from ..errors import InvalidDocument
from ..revocation import Revocation
from .statement import REVOCATION_V1, Statement, Subject, predicate_of, same


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationClaim:
    """The registry revoked a certificate that the intermediate of a purpose had issued."""

    certificate_sha256: str
    issuer: Purpose
    revocation: Revocation

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(
            statement, REVOCATION_V1, "issuer", "serial", "reason", "revoked_at", "invalid_from"
        )
        issuer = canonical.text(predicate, "issuer")
        if issuer not in set(Purpose):
            raise InvalidDocument("issuer", f"one of {', '.join(Purpose)}", ascii(issuer[:80]))
        claim = cls(
            certificate_sha256=statement.subjects[0].sha256,
            issuer=Purpose(issuer),
            revocation=Revocation.parse(predicate),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        name = f"certificate/{self.revocation.serial:x}"
        return Statement(
            subjects=(Subject(name=name, sha256=self.certificate_sha256),),
            predicate_type=REVOCATION_V1,
            predicate={"issuer": self.issuer.value, **self.revocation.to_json()},
        )

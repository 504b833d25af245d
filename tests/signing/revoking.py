# SPDX-License-Identifier: Apache-2.0
"""Short builders for tests of revocation: who is judged, their issuer's lists and answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509

from assay.signing import certificates, crls, ocsp
from assay.signing.certificates import Issuer, Purpose
from assay.signing.crls import Period
from assay.signing.keys import SoftwareKey
from assay.signing.ocsp import Responder
from assay.signing.revocation import Reason, Revocation
from tests.signing.world import AT, World

DAY = timedelta(days=1)
PERIOD = Period(this_update=AT, next_update=AT + 7 * DAY)
REVOKED_AT = AT
INVALID_FROM = AT - 2 * DAY


class Role(StrEnum):
    LEAF = "leaf"
    INTERMEDIATE = "intermediate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A certificate and who issued it."""

    certificate: x509.Certificate
    issuer: Issuer

    def revocation(
        self,
        *,
        reason: Reason = Reason.KEY_COMPROMISE,
        invalid_from: datetime | None = INVALID_FROM,
    ) -> Revocation:
        return Revocation(
            serial=self.certificate.serial_number,
            revoked_at=REVOKED_AT,
            reason=reason,
            invalid_from=invalid_from,
        )

    def crl(self, *revoked: Revocation, period: Period = PERIOD, number: int = 1) -> bytes:
        return crls.create(
            revoked,
            issuer=self.issuer.certificate,
            key=self.issuer.key,
            number=number,
            period=period,
        )


def case_of(world: World, role: Role = Role.LEAF) -> Case:
    """Alice's leaf for outputs, or the intermediate above it."""
    _, chain = world.leaf(Purpose.OUTPUT, f"{world.registry}/alice")
    if role is Role.INTERMEDIATE:
        return Case(certificate=chain.intermediate, issuer=world.root)
    return Case(certificate=chain.leaf, issuer=world.issuers[Purpose.OUTPUT])


def responder_of(issuer: Issuer, *, at: datetime = AT) -> Responder:
    """A new key that the issuer lets answer."""
    key = SoftwareKey.generate()
    certificate = certificates.responder(key.public_key, issuer=issuer, at=at)
    return Responder(certificate=certificate, key=key)


def question(case: Case, *, algorithm: str = "sha1", nonce: bytes | None = None) -> ocsp.Question:
    """What asks about the case's certificate."""
    issuer = case.issuer.certificate
    about = ocsp.CertId.of(case.certificate.serial_number, issuer, algorithm=algorithm)
    return ocsp.Question(about=about, nonce=nonce)

# SPDX-License-Identifier: Apache-2.0
"""Short builders for tests of revocation: who is judged, their issuer's lists and answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import certificates, crls, ocsp
from assay.signing.certificates import Issuer, Purpose
from assay.signing.crls import Period
from assay.signing.keys import SoftwareKey
from assay.signing.ocsp import Responder
from assay.signing.revocation import Reason, Revocation
from tests.signing import leaves
from tests.signing.forge import private_of
from tests.signing.world import AT, World

DAY = timedelta(days=1)
PERIOD = Period(this_update=AT, next_update=AT + 7 * DAY)
REVOKED_AT = AT
INVALID_FROM = AT - 2 * DAY

ENTRY = x509.RevokedCertificateBuilder
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
USERS_ONLY = x509.IssuingDistributionPoint(
    full_name=None,
    relative_name=None,
    only_contains_user_certs=True,
    only_contains_ca_certs=False,
    only_some_reasons=None,
    indirect_crl=False,
    only_contains_attribute_certs=False,
)
ODD_ENTRY = (
    ENTRY().serial_number(5).revocation_date(AT).add_extension(UNKNOWN, critical=True).build()
)


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


def responder_of(
    issuer: Issuer, *, log: SoftwareKey = leaves.SOMEBODY, at: datetime = AT
) -> Responder:
    """A new key that the issuer lets answer, which this log has seen."""
    key = SoftwareKey.generate()
    made = certificates.responder(key.public_key, issuer=issuer, at=at)
    certificate = leaves.logged(made, issuer, log=log, at=at)
    return Responder(certificate=certificate, key=key)


def question(case: Case, *, algorithm: str = "sha1", nonce: bytes | None = None) -> ocsp.Question:
    """What asks about the case's certificate."""
    issuer = case.issuer.certificate
    about = ocsp.CertId.of(case.certificate.serial_number, issuer, algorithm=algorithm)
    return ocsp.Question(about=about, nonce=nonce)


def named_twice(case: Case) -> x509.AuthorityKeyIdentifier:
    """The issuer's name and serial number beside its key's identifier (RFC 5280, 4.2.1.1)."""
    issuer = case.issuer.certificate
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    name = [x509.DirectoryName(issuer.issuer)]
    return x509.AuthorityKeyIdentifier(own.digest, name, issuer.serial_number)


def build(
    case: Case,
    *,
    number: int | None = 1,
    entries: list[x509.RevokedCertificate] | None = None,
    more: list[tuple[x509.ExtensionType, bool]] | None = None,
    is_critical: bool = False,
    key: SoftwareKey | None = None,
) -> bytes:
    """A list by another library, which also writes what we never would."""
    issuer = case.issuer.certificate
    identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(PERIOD.this_update)
        .next_update(PERIOD.next_update)
    )
    if x509.AuthorityKeyIdentifier not in {type(value) for value, _ in more or []}:
        builder = builder.add_extension(identifier, critical=False)
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=is_critical)
    for extension, critical in more or []:
        builder = builder.add_extension(extension, critical=critical)
    for entry in entries or []:
        builder = builder.add_revoked_certificate(entry)
    signed = builder.sign(private_of(key or case.issuer.key), hashes.SHA256())
    return signed.public_bytes(Encoding.DER)

# SPDX-License-Identifier: Apache-2.0
"""The registry's certificates: how they are made and read.

Root → one intermediate for each purpose → leaves (docs/spec/formats.md, section 8). A purpose is
a policy OID in the leaf and in its intermediate, so that a key certified for outputs can never
sign a checkpoint. Whether a chain leads to a root, and what was revoked, is left to others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from . import forms, issuing, provenance
from .errors import InvalidDocument, UntrustedChain
from .keys import Curve, PublicKey, Signer, curve_of
from .provenance import ARC, Holder
from .values import dataclass

ROOT_DAYS = 20 * 365
INTERMEDIATE_DAYS = 5 * 365
LEAF_DAYS = 365
RESPONDER_DAYS = 90
MAX_NAME_CHARACTERS = 64  # RFC 5280, A.1: ub-common-name
MOST_KEPT = 64  # certificates that were read: few sign nearly all that one process sees

# What the library raises for a certificate that is not one; it parses extensions when asked.
MALFORMED = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class Purpose(StrEnum):
    """What a key is certified to sign."""

    CHECKPOINT = "checkpoint"
    OUTPUT = "output"
    CONDUCT = "conduct"
    NODE = "node"
    TIMESTAMP = "timestamp"
    C2PA = "c2pa"  # claims of where media come from, as C2PA has them
    IDENTITY = "identity"  # for minutes, for whom an identity provider knows (Sigstore)

    @property
    def oid(self) -> x509.ObjectIdentifier:
        """The policy that certificates of this purpose carry; permanent."""
        return x509.ObjectIdentifier(f"{ARC}.1.{_NUMBERS[self]}")


_NUMBERS = dict(zip(Purpose, (1, 2, 3, 4, 5, 6, 7), strict=True))
_CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")  # C2PA 2.x: c2pa-kp-claimSigning
_USAGES = {  # of C2PA: what its validators take without being told, and what its next ones will
    Purpose.TIMESTAMP: [ExtendedKeyUsageOID.TIME_STAMPING],
    Purpose.C2PA: [ExtendedKeyUsageOID.EMAIL_PROTECTION, _CLAIM_SIGNING],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A certificate that may issue others, with its key."""

    certificate: x509.Certificate
    key: Signer
    crl_url: str | None = None
    """Where its revocation list will be, which is written into what it issues."""
    ocsp_url: str | None = None
    """The same of its OCSP responder."""
    registry: str | None = None
    """Who vouches for the names in what it issues: a registry's URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A leaf and the intermediate that issued it; the root comes from the verifier."""

    leaf: x509.Certificate
    intermediate: x509.Certificate

    @classmethod
    def parse(cls, ders: Sequence[bytes]) -> Self:
        """Read a leaf and an intermediate from their DER."""
        if len(ders) != 2:  # noqa: PLR2004 - the leaf and the intermediate
            raise InvalidDocument(
                "chain", "a leaf and an intermediate", f"{len(ders)} certificates"
            )
        return cls(leaf=own("leaf", ders[0]), intermediate=own("intermediate", ders[1]))

    def to_der(self) -> tuple[bytes, bytes]:
        """The DER of the leaf and of the intermediate."""
        return _der_of(self.leaf), _der_of(self.intermediate)

    @property
    def leaf_pem(self) -> bytes:
        """The leaf as the ledger stores it."""
        return self.leaf.public_bytes(Encoding.PEM)

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The leaf's key, which must be on P-256."""
        return p256_key(self.leaf)


@lru_cache(maxsize=MOST_KEPT)
def _der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


@lru_cache(maxsize=MOST_KEPT)
def own(field: str, encoded: bytes) -> x509.Certificate:
    """Read one certificate in the form in which a registry's stand."""
    forms.parse(field, encoded)
    return load(field, encoded)


def load(field: str, encoded: bytes) -> x509.Certificate:
    """Read one certificate: DER to its end, and no bit beside what is signed and the signature."""
    try:
        certificate = x509.load_der_x509_certificate(encoded)
    except MALFORMED as error:
        raise InvalidDocument(field, "a DER certificate", "none") from error
    # The count of unused bits before the signature is signed by nobody, and the parser takes 0 to 7
    # as long as those bits are zero: without this, one certificate could be written in eight ways.
    if not encoded.endswith(b"\x00" + certificate.signature):
        raise InvalidDocument(field, "a signature of whole bytes", "unused bits in it")
    return certificate


def root(key: Signer, *, name: str, at: datetime) -> x509.Certificate:
    """A self-signed root, valid for twenty years, over intermediates that only issue leaves."""
    subject = _name(name)
    builder = _builder(subject, subject, key.public_key, at, at + timedelta(days=ROOT_DAYS))
    builder = _as_authority(builder, path_length=1)
    return issuing.certificate(builder, key)


def intermediate(
    purpose: Purpose,
    public_key: PublicKey,
    *,
    issuer: Issuer,
    at: datetime,
    subject: x509.Name | None = None,
) -> x509.Certificate:
    """An intermediate for one purpose, valid for five years; the first unless it is named."""
    name = subject or _name(f"Assay intermediate: {purpose}")
    builder = _issued(name, public_key, issuer, at, INTERMEDIATE_DAYS)
    builder = _as_authority(builder, path_length=0)
    builder = builder.add_extension(_policies(purpose), critical=False)
    return issuing.certificate(builder, issuer.key)


def precertificate(
    purpose: Purpose,
    public_key: PublicKey,
    *,
    holder: Holder,
    issuer: Issuer,
    at: datetime,
    days: float = LEAF_DAYS,
) -> x509.Certificate:
    """A leaf for one purpose and one holder, before the log has seen it (RFC 6962, 3.1).

    It is never valid for longer than its issuer; a critical extension keeps it from being used.
    """
    is_timestamp = purpose is Purpose.TIMESTAMP
    name = x509.RFC822Name if holder.is_mail else x509.UniformResourceIdentifier
    builder = _issued(_subject(purpose, holder), public_key, issuer, at, days)
    builder = (
        builder.add_extension(_key_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages_of(purpose)), critical=is_timestamp)
        .add_extension(x509.SubjectAlternativeName([name(holder.uri)]), critical=False)
        .add_extension(_policies(purpose), critical=False)
    )
    for extension in provenance.extensions(issuer.registry, holder):
        builder = builder.add_extension(extension, critical=False)
    return _poisoned(builder, issuer)


def responder(
    public_key: PublicKey, *, issuer: Issuer, at: datetime, days: int = RESPONDER_DAYS
) -> x509.Certificate:
    """A precertificate for who answers OCSP for its issuer, and nothing else: it has no purpose."""
    name = issuer.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    builder = _issued(_name(f"OCSP responder: {name!s}"), public_key, issuer, at, days)
    builder = (
        builder.add_extension(_key_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)  # RFC 6960, 4.2.2.2.1: it is short-lived
    )
    return _poisoned(builder, issuer)


def request(key: Signer, *, subject: str) -> bytes:
    """A PKCS#10 request (DER) that shows possession of the key."""
    return issuing.request(_name(subject), key)


def key_of_request(csr: bytes) -> ec.EllipticCurvePublicKey:
    """The P-256 key of a PKCS#10 request (DER), signed by its holder; nothing else counts."""
    try:
        parsed = x509.load_der_x509_csr(csr)
        key = parsed.public_key()
        is_held = parsed.is_signature_valid
    except MALFORMED as error:
        raise InvalidDocument("csr", "a PKCS#10 request", "none") from error
    if not is_held:
        raise InvalidDocument("csr", "a request signed by its own key", "another signature")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidDocument("csr", "a P-256 key", "another kind of key")
    return key


@lru_cache(maxsize=MOST_KEPT)
def p256_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """A leaf's key, which must be on P-256; raises UntrustedChain."""
    try:
        key = certificate.public_key()
    except MALFORMED as error:
        raise UntrustedChain("expected a leaf with a P-256 key, found another kind") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or curve_of(key) is not Curve.P256:
        raise UntrustedChain("expected a leaf with a P-256 key, found another kind")
    return key


def _issued(
    subject: x509.Name, public_key: PublicKey, issuer: Issuer, at: datetime, days: float
) -> x509.CertificateBuilder:
    ends_at = min(at + timedelta(days=days), issuer.certificate.not_valid_after_utc)
    builder = _builder(subject, issuer.certificate.subject, public_key, at, ends_at).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
            issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        ),
        critical=False,
    )
    if issuer.crl_url is not None:
        uri = x509.UniformResourceIdentifier(issuer.crl_url)
        point = x509.DistributionPoint([uri], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if issuer.ocsp_url is not None:
        uri = x509.UniformResourceIdentifier(issuer.ocsp_url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return builder


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, at: datetime, ends_at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(ends_at)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _poisoned(builder: x509.CertificateBuilder, issuer: Issuer) -> x509.Certificate:
    marked = builder.add_extension(x509.PrecertPoison(), critical=True)
    return issuing.certificate(marked, issuer.key)


def _as_authority(builder: x509.CertificateBuilder, *, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_key_usage(is_authority=True), critical=True)


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def usages_of(purpose: Purpose) -> list[x509.ObjectIdentifier]:
    """The extended key usages of a leaf for this purpose, in this order."""
    return _USAGES.get(purpose, [ExtendedKeyUsageOID.CODE_SIGNING])


def _policies(purpose: Purpose) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(purpose.oid, None)])


def _subject(purpose: Purpose, holder: Holder) -> x509.Name:
    """Of C2PA with an organisation: its validators in browsers take no claim by whom has none."""
    name = _name(holder.uri)
    if purpose is not Purpose.C2PA:
        return name
    shown = x509.NameAttribute(NameOID.ORGANIZATION_NAME, holder.uri[:MAX_NAME_CHARACTERS])
    return x509.Name([shown, *name])


def _name(name: str) -> x509.Name:
    """For people only: what counts is the URI in the leaf's subject alternative name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:MAX_NAME_CHARACTERS])])

# SPDX-License-Identifier: Apache-2.0
"""Somebody else's certificate authority, with every fault that a test asks for."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LONG = timedelta(days=3650)
CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING
TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
More = Sequence[tuple[x509.ExtensionType, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Private

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return private_pem(self.key)

    @property
    def public_pem(self) -> bytes:
        public = self.key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def of_no_version(pem: bytes) -> bytes:
    """A certificate, a request or a revocation list, as of a version that there is none of."""
    label = pem.partition(b"-----BEGIN ")[2].partition(b"-----")[0]
    der = bytearray(base64.b64decode(b"".join(pem.splitlines()[1:-1])))
    start = 0
    for _ in range(2):  # the headers of two sequences
        start += 2 + (der[start + 1] & 0x7F if der[start + 1] & 0x80 else 0)
    der[der.index(b"\x02\x01", start) + 2] = 7
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, base64.encodebytes(der), label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """When a certificate is valid."""

    start: datetime = AT - timedelta(days=1)
    end: datetime = AT + LONG


NOW = Period()
PAST = Period(start=AT - timedelta(days=9), end=AT - timedelta(days=8))
FUTURE = Period(start=AT + timedelta(days=8), end=AT + timedelta(days=9))


def private_pem(key: Private) -> bytes:
    """As OpenSSL and conformance suites write keys: SEC 1, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def authority(
    name: str, issuer: Holder | None = None, *, period: Period = NOW, key: Private | None = None
) -> Holder:
    """A root, or an intermediate below one."""
    more: More = (
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (usage(key_cert_sign=True), True),
    )
    return issued(name, issuer, period=period, key=key or ec_key(), more=more)


def signer(
    issuer: Holder | None,
    *,
    period: Period = NOW,
    key: Private | None = None,
    is_authority: bool | None = None,
    purposes: Sequence[x509.ObjectIdentifier] = (CODE_SIGNING,),
    more: More = (),
) -> Holder:
    """A leaf for code signing, unless the test wants another."""
    found = list(more)
    kinds = {type(value) for value, _ in more}
    if x509.KeyUsage not in kinds:
        found.append((usage(digital_signature=True), True))
    if is_authority is not None:
        found.append((x509.BasicConstraints(ca=is_authority, path_length=None), True))
    if purposes:
        found.append((x509.ExtendedKeyUsage(purposes), TIME_STAMPING in purposes))
    return issued("leaf", issuer, period=period, key=key or ec_key(), more=found)


def issued(
    name: str,
    issuer: Holder | None,
    *,
    period: Period = NOW,
    key: Private,
    more: More = (),
    serial: int | None = None,
) -> Holder:
    """A certificate with just these extensions and the key identifiers."""
    subject = named(name)
    public = key.public_key()
    by = issuer.certificate.subject if issuer else subject
    issuer_key = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(public)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(period.start)
        .not_valid_after(period.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if issuer:
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(aki, critical=False)
    for value, is_critical in more:
        builder = builder.add_extension(value, is_critical)
    return Holder(certificate=builder.sign(issuer_key, SHA256()), key=key)


def named(name: str) -> x509.Name:
    """With an organisation, without which C2PA's programs in browsers take no claim."""
    kinds = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    return x509.Name([x509.NameAttribute(kind, name) for kind in kinds])


def usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def unreadable(certificate: x509.Certificate) -> x509.Certificate:
    """The same with an extension that is none: the library fails when it is asked for them."""
    der = certificate.public_bytes(Encoding.DER)
    # The identifier's OCTET STRING becomes a NULL of the same length.
    good, bad = bytes.fromhex("551d0e04160414"), bytes.fromhex("551d0e04160514")
    return x509.load_der_x509_certificate(der.replace(good, bad, 1))


def on_no_known_curve(certificate: x509.Certificate) -> x509.Certificate:
    """The same with a key on a curve that nobody knows."""
    der = certificate.public_bytes(Encoding.DER)
    p256, unknown = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f")
    return x509.load_der_x509_certificate(der.replace(p256, unknown, 1))

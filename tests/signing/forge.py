# SPDX-License-Identifier: Apache-2.0
"""Certificates that no registry would issue, and ECDSA signatures in the form nobody made.

A forged certificate is a good one, changed in one thing and signed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing.certificates import Issuer
from assay.signing.keys import Curve, PublicKey, Signer, SoftwareKey

# SEC 2, 2.4.2 and 2.5.1: the orders of the groups.
ORDERS = {
    Curve.P256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    Curve.P384: int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to change in a certificate; what is None stays."""

    drop: type[x509.ExtensionType] | None = None
    add: Sequence[tuple[x509.ExtensionType, bool]] = ()
    """Extensions, each with whether it is critical; one of the same type is replaced."""
    public_key: PublicKey | rsa.RSAPublicKey | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


def forge(
    certificate: x509.Certificate, issuer: Issuer, change: Change, *, is_short: bool = False
) -> x509.Certificate:
    """The certificate with one thing changed, signed again by its issuer (or by another).

    With SHA-256, if that is to be short, even where the key's curve goes with a longer hash.
    """
    new_key = change.public_key or certificate.public_key()
    assert isinstance(new_key, PublicKey | rsa.RSAPublicKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(new_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(change.not_before or certificate.not_valid_before_utc)
        .not_valid_after(change.not_after or certificate.not_valid_after_utc)
    )
    replaced = {type(value) for value, _ in change.add} | {change.drop}
    for extension in certificate.extensions:
        if type(extension.value) not in replaced:
            builder = builder.add_extension(extension.value, extension.critical)
    for value, is_critical in change.add:
        builder = builder.add_extension(value, is_critical)
    private = private_of(issuer.key)
    is_long = private.key_size == 384 and not is_short
    return builder.sign(private, hashes.SHA384() if is_long else hashes.SHA256())


def private_of(key: Signer) -> ec.EllipticCurvePrivateKey:
    """What signs where a test has another library write a certificate, a list or an answer."""
    assert isinstance(key, SoftwareKey)
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    return key.private


def twin(signature: bytes, curve: Curve = Curve.P256) -> bytes:
    """An ECDSA signature in its other form, (r, n - s): it verifies too, and takes no key."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, ORDERS[curve] - s)


def certificate_twin(certificate: x509.Certificate, curve: Curve) -> bytes:
    """The DER of a certificate with its issuer's signature in its other form."""
    parsed = asn1.Certificate.load(certificate.public_bytes(Encoding.DER))
    parsed["signature_value"] = core.OctetBitString(twin(certificate.signature, curve))
    return bytes(parsed.dump())

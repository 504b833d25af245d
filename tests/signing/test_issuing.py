# SPDX-License-Identifier: Apache-2.0
"""What any `Signer` signs is what `cryptography` would have made with that key itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from assay.signing import issuing
from assay.signing.errors import KeyUnusable
from assay.signing.keys import Curve, SoftwareKey, hash_of
from tests.signing.forge import private_of
from tests.signing.world import AT

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A name")])
NIST = (Curve.P256, Curve.P384, Curve.P521)


def builder_for(key: SoftwareKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key)
        .serial_number(5)
        .not_valid_before(AT)
        .not_valid_after(AT + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )


@pytest.mark.parametrize("curve", NIST)
def test_a_certificate_says_the_same_and_the_real_key_signed_it(curve: Curve) -> None:
    key = SoftwareKey.generate(curve)
    private = private_of(key)
    made = issuing.certificate(builder_for(key), key)
    theirs = builder_for(key).sign(private, hash_of(private.public_key()))
    assert made.tbs_certificate_bytes == theirs.tbs_certificate_bytes
    assert made.signature_algorithm_oid == theirs.signature_algorithm_oid
    made.verify_directly_issued_by(made)


@pytest.mark.parametrize("curve", NIST)
def test_a_request_says_the_same_and_shows_possession(curve: Curve) -> None:
    key = SoftwareKey.generate(curve)
    private = private_of(key)
    made = x509.load_der_x509_csr(issuing.request(NAME, key))
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    theirs = builder.sign(private, hash_of(private.public_key()))
    assert made.tbs_certrequest_bytes == theirs.tbs_certrequest_bytes
    assert made.is_signature_valid
    assert made.public_bytes(Encoding.DER).startswith(b"\x30")


def test_an_ed25519_key_signs_neither() -> None:
    key = SoftwareKey.generate(Curve.ED25519)
    with pytest.raises(KeyUnusable, match="expected a key on a NIST curve, found Ed25519"):
        issuing.certificate(builder_for(key), key)
    with pytest.raises(KeyUnusable, match="expected a key on a NIST curve, found Ed25519"):
        issuing.request(NAME, key)

# SPDX-License-Identifier: Apache-2.0
"""The signer certifies whom an identity provider knows: for minutes, and never as one of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing.certificates import Purpose
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest, SignerRefusal
from assay.signing.signer.protocol import PrecertifyRequest
from assay.signing.signer.vouchers import PrecertifyIdentityRequest
from assay.signing.sigstore.certificate import Identity, verify_identity
from tests.signing.signer.worlds import ALICE, BORN, REGISTRY

KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = "https://login.example"


def der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


BY_MAIL = PrecertifyIdentityRequest(
    name="alice@example.test", is_mail=True, issuer=ISSUER, public_key=der(KEY)
)
BY_URI = replace(BY_MAIL, name="https://ci.example/jobs/7", is_mail=False)
OURS = replace(BY_URI, name=ALICE, issuer=REGISTRY)


@pytest.mark.parametrize("request_", [BY_MAIL, BY_URI, OURS], ids=["mail", "uri", "ours"])
def test_the_name_and_who_vouches_for_it_are_in_the_precertificate(
    client: SignerClient, request_: PrecertifyIdentityRequest
) -> None:
    made = x509.load_der_x509_certificate(client.precertify_identity(request_))
    verify_identity(made, Identity(name=request_.name, issuer=request_.issuer))
    assert made.not_valid_after_utc - made.not_valid_before_utc == timedelta(minutes=10)
    assert made.not_valid_before_utc == BORN
    policies = made.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [each.policy_identifier for each in policies] == [Purpose.IDENTITY.oid]
    assert made.public_key() == KEY.public_key()


WRONG = {
    "a stranger as ours": replace(OURS, issuer=ISSUER),
    "ours as a stranger": replace(BY_URI, issuer=REGISTRY),
    "a part of ours": replace(BY_URI, name=f"{REGISTRY}/nodes/7"),
    "our office": replace(OURS, name=f"{REGISTRY}/conduct/x"),
    "mail that is a URI": replace(BY_URI, is_mail=True),
    "a URI that is mail": replace(BY_MAIL, is_mail=False),
    "no URI": replace(BY_URI, name="alice"),
    "a space": replace(BY_URI, name="https://a b.example/"),
    "not ASCII": replace(BY_MAIL, name="älice@example.test"),
    "an issuer with a line": replace(BY_MAIL, issuer="https://x\n"),
    "no key": replace(BY_MAIL, public_key=b"x"),
    "another curve": replace(BY_MAIL, public_key=der(ec.generate_private_key(ec.SECP384R1()))),
}


@pytest.mark.parametrize("request_", WRONG.values(), ids=WRONG)
def test_nothing_else_is_certified(
    client: SignerClient, request_: PrecertifyIdentityRequest
) -> None:
    with pytest.raises(BadRequest, match="expected"):
        client.precertify_identity(request_)


def test_the_purpose_is_not_for_names_that_are_ours_to_give(client: SignerClient) -> None:
    with pytest.raises(SignerRefusal, match="identity"):
        client.precertify(PrecertifyRequest(purpose=Purpose.IDENTITY, subject=ALICE))

# SPDX-License-Identifier: Apache-2.0
"""Identity tokens of our own: joserfc verifies them, and knows the key by the same name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from assay.signing import idtokens
from assay.signing.errors import KeyUnusable
from assay.signing.idtokens import Assertion
from assay.signing.keys import Curve, SoftwareKey

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ALICE = Assertion(
    issuer="https://registry.example",
    subject="https://registry.example/alice",
    audience="sigstore",
    token_id="1f",
    nonce="n-1",
)


def test_another_library_verifies_it() -> None:
    key = SoftwareKey.generate()
    public = ECKey.import_key(dict(idtokens.jwk(key.public_key)))
    token = jwt.decode(idtokens.create(ALICE, key=key, at=AT), public, algorithms=["ES256"])
    assert token.header == {"alg": "ES256", "kid": public.thumbprint(), "typ": "JWT"}
    assert token.claims == {
        "iss": ALICE.issuer,
        "sub": ALICE.subject,
        "aud": "sigstore",
        "iat": 1795167000,
        "nbf": 1795167000,
        "exp": 1795167600,
        "jti": "1f",
        "nonce": "n-1",
    }


def test_without_a_nonce_it_says_none() -> None:
    key = SoftwareKey.generate()
    token = idtokens.create(replace(ALICE, nonce=""), key=key, at=AT)
    public = ECKey.import_key(dict(idtokens.jwk(key.public_key)))
    assert "nonce" not in jwt.decode(token, public, algorithms=["ES256"]).claims


def test_the_thumbprint_is_the_standards() -> None:
    """RFC 7638 over the members of an EC key, as joserfc computes it."""
    public = SoftwareKey.generate().public_key
    assert idtokens.key_id(public) == ECKey.import_key(dict(idtokens.jwk(public))).thumbprint()
    assert json.dumps(dict(idtokens.jwk(public)))


@pytest.mark.parametrize("curve", [Curve.P384, Curve.ED25519])
def test_other_keys_sign_no_tokens(curve: Curve) -> None:
    with pytest.raises(KeyUnusable, match="P-256"):
        idtokens.key_id(SoftwareKey.generate(curve).public_key)

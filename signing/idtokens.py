# SPDX-License-Identifier: Apache-2.0
"""Identity tokens that a registry issues itself (OpenID Connect): one form, ES256, and its JWK.

Only writing: tokens of others are read by registry/oidc.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from . import canonical, keys
from .errors import KeyUnusable
from .keys import Curve, PublicKey, Signer

LIFETIME = timedelta(minutes=10)  # to ask for a certificate of as many: nothing needs it later
COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """That somebody signed in here a moment ago, for whoever is to know it."""

    issuer: str
    subject: str
    audience: str
    token_id: str
    nonce: str
    """What the caller wants to find again in the token; empty for nothing."""


def create(assertion: Assertion, *, key: Signer, at: datetime) -> str:
    """The token (RFC 7519), valid for ten minutes from now."""
    seconds = int(at.timestamp())
    claims: dict[str, object] = {
        "iss": assertion.issuer,
        "sub": assertion.subject,
        "aud": assertion.audience,
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + int(LIFETIME.total_seconds()),
        "jti": assertion.token_id,
    }
    if assertion.nonce:
        claims["nonce"] = assertion.nonce
    header = {"alg": "ES256", "kid": key_id(key.public_key), "typ": "JWT"}
    signed = f"{_encoded(canonical.dumps(header))}.{_encoded(canonical.dumps(claims))}"
    return f"{signed}.{_encoded(_raw(key.sign(signed.encode())))}"


def jwk(key: PublicKey) -> Mapping[str, str]:
    """The key for a JWKS (RFC 7517)."""
    return {**_public(key), "alg": "ES256", "kid": key_id(key), "use": "sig"}


def key_id(key: PublicKey) -> str:
    """The key's thumbprint (RFC 7638)."""
    return _encoded(sha256(canonical.dumps(_public(key))).digest())


def _public(key: PublicKey) -> dict[str, str]:
    if not isinstance(key, ec.EllipticCurvePublicKey) or keys.curve_of(key) is not Curve.P256:
        raise KeyUnusable(f"expected a P-256 key, found {keys.curve_of(key)}")
    numbers = key.public_numbers()
    x, y = (each.to_bytes(COORDINATE_BYTES, "big") for each in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": _encoded(x), "y": _encoded(y)}


def _raw(der: bytes) -> bytes:
    """JOSE's form of an ECDSA signature (RFC 7518, 3.4)."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

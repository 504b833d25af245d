# SPDX-License-Identifier: Apache-2.0
"""Signing certificates of minutes for whoever shows an identity token and a key (Fulcio's part).

The name in a certificate is the token's, never the caller's. What the registry keeps of it is the
ledger's entry, which is for ever; docs/spec/sigstore.md says what that means for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from django.conf import settings

from assay.signing import canonical, certificates
from assay.signing.canonical import Obj
from assay.signing.errors import InvalidDocument
from registry.accounts import queries as accounts
from registry.accounts import staying
from registry.accounts.queries import User
from registry.authority import issuing as authority
from registry.conduct import standing
from registry.ledger import services as ledger
from registry.oidc import naming, tokens
from registry.oidc.errors import TokenRefused
from registry.oidc.naming import Name
from registry.oidc.providers import Provider, Use, providers
from registry.oidc.tokens import Claims

from .errors import InvalidRequest, NoPossession

AUDIENCE = "sigstore"
MAX_REQUEST_BYTES = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A token, and a key that the caller says it holds."""

    token: str
    key: ec.EllipticCurvePublicKey
    proof: bytes | None
    """The key's signature over who the token is about; None if a PKCS#10 request showed it."""

    @classmethod
    def parse(cls, data: bytes, *, bearer: str) -> Self:
        """Read Fulcio's CreateSigningCertificateRequest; the token may be in the header instead."""
        value = canonical.loads(data, max_bytes=MAX_REQUEST_BYTES, has_fractions=True)
        obj = canonical.as_mapping(value, "request")
        token = bearer
        if obj.get("credentials") is not None:
            credentials = canonical.mapping(obj, "credentials")
            with canonical.within("credentials"):
                token = canonical.text(
                    credentials, "oidcIdentityToken", max_characters=tokens.MAX_TOKEN_CHARACTERS
                )
        if not token:
            raise TokenRefused("expected an identity token, found none")
        match [name for name in ("publicKeyRequest", "certificateSigningRequest") if name in obj]:
            case ["publicKeyRequest"]:
                key, proof = _key_alone(canonical.mapping(obj, "publicKeyRequest"))
                return cls(token=token, key=key, proof=proof)
            case ["certificateSigningRequest"]:
                pem = canonical.base64_bytes(obj, "certificateSigningRequest")
                return cls(token=token, key=_key_of_request(pem), proof=None)
            case _:
                raise InvalidRequest(
                    "expected either publicKeyRequest or certificateSigningRequest"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a certificate is to name, and who vouches for it."""

    name: Name
    issuer: str


def identify(asked: Asked, *, now: datetime) -> Identity:
    """Who asks; raises a Problem.

    1. The token is whole, of an issuer that is believed for signing, and for Sigstore.
    2. It names somebody as its issuer's tokens do; one of our own people is still one.
    3. The caller holds the key.
    """
    provider, claims = _claims(asked.token, now)  # 1
    name = naming.name_of(claims, provider)  # 2
    _check_possession(asked, claims)  # 3
    return Identity(name=name, issuer=provider.issuer)


def check_standing(identity: Identity) -> None:
    """Raise unless an identity may be certified now; in the transaction that certifies it.

    A person of ours is still one, under this name, and has a live acceptance of a conduct version:
    person and acceptance stay so until the transaction ends. Of whom another provider knows there
    is nothing here to withdraw (docs/adr/0015): that provider must still be believed.
    """
    if identity.issuer != ourselves().issuer:
        if identity.issuer not in {one.issuer for one in providers().for_use(Use.SIGNING)}:
            raise TokenRefused("expected an issuer that is believed for signing, found another")
        return
    person = _person(identity.name.value)
    if person is None or not staying.stays(person):
        raise TokenRefused("expected a person of this registry, found nobody who still is one")
    if standing.hold(person.namespace, None) is None:
        raise authority.not_accepted(None)


def _person(uri: str) -> User | None:
    """Who has this permanent URL and may sign in."""
    found = accounts.user(uri.removeprefix(f"{ourselves().issuer}/"))
    return found if found and found.is_active and found.namespace.uri == uri else None


def ourselves() -> Provider:
    """The registry itself as a provider, whose tokens name its people by their permanent URLs."""
    return Provider(
        name="registry",
        title=settings.PUBLIC_URL,
        issuer=settings.PUBLIC_URL,
        uses=frozenset({Use.SIGNING}),
    )


def _claims(token: str, now: datetime) -> tuple[Provider, Claims]:
    own = ourselves()
    if tokens.issuer_of(token) != own.issuer:
        return tokens.verify(token, Use.SIGNING, audience=AUDIENCE, now=now)
    key_set = {"keys": [dict(ledger.signer().token_key())]}
    claims = tokens.check_with(
        token, lambda **_: key_set, issuer=own.issuer, audience=AUDIENCE, now=now
    )
    if _person(claims.subject) is None:
        raise TokenRefused("expected a token about a person of this registry, found another")
    return own, claims


def _check_possession(asked: Asked, claims: Claims) -> None:
    """A key alone comes with its signature over the token's subject, or its mail address."""
    if asked.proof is None:
        return
    said = [claims.subject, str(claims.members.get("email", ""))]
    if not any(_signed(asked.key, asked.proof, text) for text in said if text):
        raise NoPossession(
            "proofOfPossession: expected the key's signature over the token's subject"
        )


def _signed(key: ec.EllipticCurvePublicKey, signature: bytes, text: str) -> bool:
    try:
        key.verify(signature, text.encode(), ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _key_alone(obj: Obj) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    with canonical.within("publicKeyRequest"):
        public = canonical.mapping(obj, "publicKey")
        pem = canonical.text(public, "content").encode()
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InvalidDocument("content", "a public key in PEM", "none") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise InvalidDocument("content", "a P-256 key", "another kind of key")
        return key, canonical.base64_bytes(obj, "proofOfPossession")


def _key_of_request(pem: bytes) -> ec.EllipticCurvePublicKey:
    try:
        der = x509.load_pem_x509_csr(pem).public_bytes(Encoding.DER)
    except certificates.MALFORMED as error:
        raise InvalidDocument("certificateSigningRequest", "PKCS#10 in PEM", "none") from error
    return certificates.key_of_request(der)

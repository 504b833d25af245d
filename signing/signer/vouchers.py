# SPDX-License-Identifier: Apache-2.0
"""What is asked of the signer about people and programs that sign for themselves (Sigstore).

Only shapes, as in protocol, which frames them; what may be vouched for is decided in identities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .. import canonical

MAX_NAME_CHARACTERS = 400
MAX_NONCE_CHARACTERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTokenRequest:
    """Say to an audience, in an identity token, that this person signed in a moment ago."""

    subject: str
    audience: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKeyRequest:
    """Show the key that identity tokens of this registry verify with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecertifyIdentityRequest:
    """Make a precertificate of minutes for whom an identity provider knows by this name."""

    name: str
    is_mail: bool
    issuer: str
    """The provider, which vouches for the name."""
    public_key: bytes
    """SubjectPublicKeyInfo (DER); that its holder asks was shown to whoever sends this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignMetadataRequest:
    """Sign TUF metadata (its canonical bytes) that distributes the trust root."""

    metadata: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionKeyRequest:
    """Show the key that such metadata verifies with."""


Voucher = (
    SignTokenRequest
    | TokenKeyRequest
    | PrecertifyIdentityRequest
    | SignMetadataRequest
    | DistributionKeyRequest
)


def document(request: Voucher) -> dict[str, object]:
    """The members of a message, but for its operation."""
    match request:
        case SignTokenRequest():
            return {
                "audience": request.audience,
                "nonce": request.nonce,
                "subject": request.subject,
            }
        case TokenKeyRequest() | DistributionKeyRequest():
            return {}
        case SignMetadataRequest():
            return {"metadata": canonical.base64_text(request.metadata)}
        case PrecertifyIdentityRequest():
            return {
                "issuer": request.issuer,
                "mail": int(request.is_mail),
                "name": request.name,
                "public_key": canonical.base64_text(request.public_key),
            }


def read_sign_token(obj: Mapping[str, object]) -> SignTokenRequest:
    """Read such a request."""
    canonical.only(obj, "op", "subject", "audience", "nonce")
    nonce = ""
    if obj.get("nonce") != "":  # a text that may be empty, which `canonical.text` refuses
        nonce = canonical.text(obj, "nonce", max_characters=MAX_NONCE_CHARACTERS)
    return SignTokenRequest(
        subject=canonical.text(obj, "subject", max_characters=MAX_NAME_CHARACTERS),
        audience=canonical.text(obj, "audience"),
        nonce=nonce,
    )


def read_token_key(obj: Mapping[str, object]) -> TokenKeyRequest:
    """Read such a request."""
    canonical.only(obj, "op")
    return TokenKeyRequest()


def read_precertify_identity(obj: Mapping[str, object]) -> PrecertifyIdentityRequest:
    """Read such a request."""
    canonical.only(obj, "op", "issuer", "mail", "name", "public_key")
    return PrecertifyIdentityRequest(
        name=canonical.text(obj, "name", max_characters=MAX_NAME_CHARACTERS),
        is_mail=canonical.integer(obj, "mail", maximum=1) == 1,
        issuer=canonical.text(obj, "issuer", max_characters=MAX_NAME_CHARACTERS),
        public_key=canonical.base64_bytes(obj, "public_key"),
    )


def read_sign_metadata(obj: Mapping[str, object]) -> SignMetadataRequest:
    """Read such a request."""
    canonical.only(obj, "op", "metadata")
    return SignMetadataRequest(metadata=canonical.base64_bytes(obj, "metadata"))


def read_distribution_key(obj: Mapping[str, object]) -> DistributionKeyRequest:
    """Read such a request."""
    canonical.only(obj, "op")
    return DistributionKeyRequest()

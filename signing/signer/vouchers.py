# SPDX-License-Identifier: Apache-2.0
"""What is asked of the signer about people and programs that sign for themselves (Sigstore).

Only shapes, as in protocol, which frames them; what may be vouched for is decided in identities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .. import canonical

MAX_NAME_CHARACTERS = 400
MAX_NONCE_CHARACTERS = 256


class VoucherOp(StrEnum):
    """What can be asked about them."""

    SIGN_TOKEN = "sign_token"  # noqa: S105 - the name of an operation
    TOKEN_KEY = "token_key"  # noqa: S105 - the name of an operation
    PRECERTIFY_IDENTITY = "precertify_identity"
    SIGN_METADATA = "sign_metadata"
    DISTRIBUTION_KEY = "distribution_key"


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


def to_json(request: Voucher) -> dict[str, object]:
    """The message."""
    return {"op": _OPS[type(request)].value, **_members(request)}


def _members(request: Voucher) -> dict[str, object]:
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


def _read_sign_token(obj: Mapping[str, object]) -> SignTokenRequest:
    canonical.only(obj, "op", "subject", "audience", "nonce")
    nonce = ""
    if obj.get("nonce") != "":  # a text that may be empty, which `canonical.text` refuses
        nonce = canonical.text(obj, "nonce", max_characters=MAX_NONCE_CHARACTERS)
    return SignTokenRequest(
        subject=canonical.text(obj, "subject", max_characters=MAX_NAME_CHARACTERS),
        audience=canonical.text(obj, "audience"),
        nonce=nonce,
    )


def _read_token_key(obj: Mapping[str, object]) -> TokenKeyRequest:
    canonical.only(obj, "op")
    return TokenKeyRequest()


def _read_precertify_identity(obj: Mapping[str, object]) -> PrecertifyIdentityRequest:
    canonical.only(obj, "op", "issuer", "mail", "name", "public_key")
    return PrecertifyIdentityRequest(
        name=canonical.text(obj, "name", max_characters=MAX_NAME_CHARACTERS),
        is_mail=canonical.integer(obj, "mail", maximum=1) == 1,
        issuer=canonical.text(obj, "issuer", max_characters=MAX_NAME_CHARACTERS),
        public_key=canonical.base64_bytes(obj, "public_key"),
    )


def _read_sign_metadata(obj: Mapping[str, object]) -> SignMetadataRequest:
    canonical.only(obj, "op", "metadata")
    return SignMetadataRequest(metadata=canonical.base64_bytes(obj, "metadata"))


def _read_distribution_key(obj: Mapping[str, object]) -> DistributionKeyRequest:
    canonical.only(obj, "op")
    return DistributionKeyRequest()


_OPS: Mapping[type[Voucher], VoucherOp] = {
    SignTokenRequest: VoucherOp.SIGN_TOKEN,
    TokenKeyRequest: VoucherOp.TOKEN_KEY,
    PrecertifyIdentityRequest: VoucherOp.PRECERTIFY_IDENTITY,
    SignMetadataRequest: VoucherOp.SIGN_METADATA,
    DistributionKeyRequest: VoucherOp.DISTRIBUTION_KEY,
}
READERS: Mapping[str, Callable[[Mapping[str, object]], Voucher]] = {
    VoucherOp.SIGN_TOKEN: _read_sign_token,
    VoucherOp.TOKEN_KEY: _read_token_key,
    VoucherOp.PRECERTIFY_IDENTITY: _read_precertify_identity,
    VoucherOp.SIGN_METADATA: _read_sign_metadata,
    VoucherOp.DISTRIBUTION_KEY: _read_distribution_key,
}

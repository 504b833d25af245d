# SPDX-License-Identifier: Apache-2.0
"""What is asked of the signer about revocations: lists of them, and answers about one certificate.

Only shapes, as in protocol, which frames them; what may be said is decided in rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .. import canonical
from ..intermediates import Name
from ..revocation import Revocation

MAX_REVOCATIONS = 10_000


class RevocationOp(StrEnum):
    """What can be asked about them."""

    SIGN_CRL = "sign_crl"
    ROOT_CRL = "root_crl"
    SIGN_OCSP = "sign_ocsp"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignCrlRequest:
    """List these as all that this intermediate has revoked."""

    issuer: Name
    revocations: tuple[Revocation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCrlRequest:
    """Show the list that the root signed when its key was last at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOcspRequest:
    """Answer this OCSP request (DER) for this intermediate."""

    issuer: Name
    request: bytes
    is_known: bool
    """Whether a certificate of that serial number was issued; what was not is `unknown`."""
    revocation: Revocation | None


RevocationRequest = SignCrlRequest | RootCrlRequest | SignOcspRequest


def to_json(request: RevocationRequest) -> dict[str, object]:
    """The message."""
    match request:
        case SignCrlRequest():
            return {
                "op": RevocationOp.SIGN_CRL.value,
                "issuer": str(request.issuer),
                "revocations": [each.to_json() for each in request.revocations],
            }
        case SignOcspRequest():
            return {
                "op": RevocationOp.SIGN_OCSP.value,
                "issuer": str(request.issuer),
                "request": canonical.base64_text(request.request),
                "known": int(request.is_known),
                "revocation": request.revocation and request.revocation.to_json(),
            }
        case RootCrlRequest():
            return {"op": RevocationOp.ROOT_CRL.value}


def _read_sign_crl(document: Mapping[str, object]) -> RevocationRequest:
    canonical.only(document, "op", "issuer", "revocations")
    listed = canonical.items(document, "revocations", maximum=MAX_REVOCATIONS)
    return SignCrlRequest(
        issuer=Name.parse(canonical.text(document, "issuer")),
        revocations=tuple(_revocation(item) for item in listed),
    )


def _read_sign_ocsp(document: Mapping[str, object]) -> RevocationRequest:
    canonical.only(document, "op", "issuer", "request", "known", "revocation")
    return SignOcspRequest(
        issuer=Name.parse(canonical.text(document, "issuer")),
        request=canonical.base64_bytes(document, "request"),
        is_known=canonical.integer(document, "known", maximum=1) == 1,
        revocation=canonical.nullable(
            document, "revocation", lambda obj, field: _revocation(canonical.mapping(obj, field))
        ),
    )


def _revocation(item: object) -> Revocation:
    document = canonical.as_mapping(item, "revocations")
    canonical.only(document, "serial", "revoked_at", "reason", "invalid_from")
    return Revocation.parse(document)


def _read_root_crl(document: Mapping[str, object]) -> RevocationRequest:
    canonical.only(document, "op")
    return RootCrlRequest()


READERS: Mapping[str, Callable[[Mapping[str, object]], RevocationRequest]] = {
    RevocationOp.SIGN_CRL: _read_sign_crl,
    RevocationOp.ROOT_CRL: _read_root_crl,
    RevocationOp.SIGN_OCSP: _read_sign_ocsp,
}

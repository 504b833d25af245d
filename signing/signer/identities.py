# SPDX-License-Identifier: Apache-2.0
"""What the signer says about people: identity tokens, by a key that signs nothing else.

The key is made on first use, so that a registry from before there was one has it too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .. import idtokens
from ..idtokens import Assertion
from ..keys import SoftwareKey
from ..provenance import Holder
from .errors import BadRequest, StorageUnavailable
from .vouchers import PrecertifyIdentityRequest, SignTokenRequest

TOKEN_KEY_FILE = "token.key.pem"  # noqa: S105 - the file's name
AUDIENCE = "sigstore"  # the one that stock clients ask for; a token for it opens nothing here
_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_MAIL = re.compile(r"[^@/:]{1,64}@[A-Za-z0-9.-]{1,255}")
_URI = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+[^#]*")

Record = Callable[[Mapping[str, str | int]], object]
"""Makes an audit line durable, or raises."""


def token_key(folder: Path, *, passphrase: bytes) -> SoftwareKey:
    """The key of identity tokens, made if it is not there."""
    path = folder / TOKEN_KEY_FILE
    try:
        if not path.exists():
            SoftwareKey.generate().store(path, passphrase)
        return SoftwareKey.load(path, passphrase)
    except OSError as error:
        message = f"nothing was signed: {TOKEN_KEY_FILE}: {error.strerror}"
        raise StorageUnavailable(message) from error


def assertion(request: SignTokenRequest, *, registry: str, token_id: str) -> Assertion:
    """What is to be signed; raises BadRequest unless it is about a person of ours, for Sigstore."""
    name = request.subject.removeprefix(f"{registry}/")
    if request.subject != f"{registry}/{name}" or not _NAME.fullmatch(name):
        raise BadRequest(
            f"subject: expected {registry}/ and a name, found {request.subject[:120]!a}"
        )
    if request.audience != AUDIENCE:
        raise BadRequest(f"audience: expected {AUDIENCE}, found {request.audience[:80]!a}")
    return Assertion(
        issuer=registry,
        subject=request.subject,
        audience=request.audience,
        token_id=token_id,
        nonce=request.nonce,
    )


def holder(request: PrecertifyIdentityRequest, *, registry: str) -> Holder:
    """Whom a certificate is to name; raises BadRequest.

    1. The name is a mail address or a URI, in printable ASCII, and so is who vouches for it.
    2. Below this registry only its people are named, and only the registry vouches for them.
    """
    for field, value in (("name", request.name), ("issuer", request.issuer)):  # 1
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise BadRequest(f"{field}: expected printable ASCII, found {value[:120]!a}")
    if request.is_mail != bool(_MAIL.fullmatch(request.name)):
        raise BadRequest(f"name: expected a mail address or a URI, found {request.name[:120]!a}")
    if not request.is_mail and not _URI.fullmatch(request.name):
        raise BadRequest(f"name: expected a URI, found {request.name[:120]!a}")
    name = request.name.removeprefix(f"{registry}/")
    is_ours = request.name == f"{registry}/{name}" and bool(_NAME.fullmatch(name))
    if (request.issuer == registry) != is_ours or (
        not is_ours and request.name.startswith(registry)
    ):  # 2
        raise BadRequest(
            f"issuer: expected who may vouch for {request.name[:120]!a}, "
            f"found {request.issuer[:120]!a}"
        )
    return Holder(uri=request.name, is_mail=request.is_mail, issuer=request.issuer)


def public_key(request: PrecertifyIdentityRequest) -> ec.EllipticCurvePublicKey:
    """The P-256 key that is to be certified; raises BadRequest."""
    try:
        key = load_der_public_key(request.public_key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadRequest("public_key: expected a SubjectPublicKeyInfo, found none") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadRequest("public_key: expected a P-256 key, found another kind")
    return key


def sign(wanted: Assertion, *, key: SoftwareKey, at: datetime, record: Record) -> str:
    """The token, once the audit line about it is durable."""
    record(
        {
            "subject": wanted.subject,
            "audience": wanted.audience,
            "token_id": wanted.token_id,
            "key_id": idtokens.key_id(key.public_key),
        }
    )
    return idtokens.create(wanted, key=key, at=at)

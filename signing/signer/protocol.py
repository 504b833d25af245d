# SPDX-License-Identifier: Apache-2.0
"""The signer's requests as values, and the frames in which messages travel (docs/spec/signer.md).

Both sides import this, so that what one writes the other reads. What may be signed is decided in
service; here only the shape is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .. import canonical
from ..certificates import Purpose
from ..errors import InvalidDocument
from ..intermediates import Name
from ..revocation import Revocation
from . import administration
from .administration import AdministrationRequest
from .errors import BadRequest, WrongPurpose

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
LENGTH_BYTES = 4
DIGEST_BYTES = 32
MAX_SUBJECT_CHARACTERS = 1024
MAX_PROOF_HASHES = 128  # two for each level of a tree of 2^64 entries
SIGNED_PURPOSES = frozenset({Purpose.CHECKPOINT, Purpose.OUTPUT, Purpose.CONDUCT})
ISSUED_PURPOSES = frozenset({Purpose.NODE})


MAX_REVOCATIONS = 10_000


class Op(StrEnum):
    """What can be asked of the signer."""

    DESCRIBE = "describe"
    SIGN = "sign"
    TIMESTAMP = "timestamp"
    ISSUE = "issue"
    SIGN_HEAD = "sign_head"
    SIGN_CRL = "sign_crl"
    ROOT_CRL = "root_crl"
    SIGN_OCSP = "sign_ocsp"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeRequest:
    """Say who you are, and how large the largest tree head was that you signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest:
    """Sign this statement for this purpose, in the name of this subject."""

    purpose: Purpose
    subject: str
    statement: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRequest:
    """Answer this RFC 3161 query (DER)."""

    request: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """Certify the key of this PKCS#10 request (DER) for this subject."""

    subject: str
    csr: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignHeadRequest:
    """Sign this tree; `consistency` leads to it from the high-water mark."""

    size: int
    root: bytes
    consistency: tuple[bytes, ...]


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


Request = (
    DescribeRequest
    | SignRequest
    | TimestampRequest
    | IssueRequest
    | SignHeadRequest
    | SignCrlRequest
    | RootCrlRequest
    | SignOcspRequest
    | AdministrationRequest
)


def frame(message: bytes) -> bytes:
    """A message as it goes over the socket: its length (4 bytes, big-endian), then itself."""
    return len(message).to_bytes(LENGTH_BYTES, "big") + message


def request_message(request: Request) -> bytes:
    """What the client sends."""
    match request:
        case DescribeRequest():
            document: dict[str, object] = {"op": Op.DESCRIBE.value}
        case SignRequest():
            document = {
                "op": Op.SIGN.value,
                "purpose": request.purpose.value,
                "subject": request.subject,
                "statement": _encoded(request.statement),
            }
        case TimestampRequest():
            document = {"op": Op.TIMESTAMP.value, "request": _encoded(request.request)}
        case IssueRequest():
            document = {
                "csr": _encoded(request.csr),
                "op": Op.ISSUE.value,
                "purpose": Purpose.NODE.value,
                "subject": request.subject,
            }
        case SignHeadRequest():
            document = {
                "consistency": [_encoded(digest) for digest in request.consistency],
                "op": Op.SIGN_HEAD.value,
                "root": _encoded(request.root),
                "size": request.size,
            }
        case SignCrlRequest() | SignOcspRequest() | RootCrlRequest():
            document = _about_revocation(request)
        case _:
            document = administration.to_json(request)
    return canonical.dumps(document)


def _about_revocation(
    request: SignCrlRequest | SignOcspRequest | RootCrlRequest,
) -> dict[str, object]:
    match request:
        case SignCrlRequest():
            return {
                "op": Op.SIGN_CRL.value,
                "issuer": str(request.issuer),
                "revocations": [each.to_json() for each in request.revocations],
            }
        case SignOcspRequest():
            return {
                "op": Op.SIGN_OCSP.value,
                "issuer": str(request.issuer),
                "request": _encoded(request.request),
                "known": int(request.is_known),
                "revocation": request.revocation and request.revocation.to_json(),
            }
        case RootCrlRequest():
            return {"op": Op.ROOT_CRL.value}


def parse_request(message: bytes) -> Request:
    """What the server understood; raises BadRequest or WrongPurpose."""
    try:
        loaded = canonical.loads(message, max_bytes=MAX_MESSAGE_BYTES)
        document = canonical.as_mapping(loaded, "request")
        return _reader(canonical.text(document, "op"))(document)
    except InvalidDocument as error:
        raise BadRequest(str(error)) from error


def _read_describe(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op")
    return DescribeRequest()


def _read_sign(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "purpose", "subject", "statement")
    return SignRequest(
        purpose=_purpose(document, allowed=SIGNED_PURPOSES),
        subject=canonical.text(document, "subject", max_characters=MAX_SUBJECT_CHARACTERS),
        statement=canonical.base64_bytes(document, "statement"),
    )


def _read_timestamp(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "request")
    return TimestampRequest(request=canonical.base64_bytes(document, "request"))


def _read_issue(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "purpose", "subject", "csr")
    _purpose(document, allowed=ISSUED_PURPOSES)
    return IssueRequest(
        subject=canonical.text(document, "subject", max_characters=MAX_SUBJECT_CHARACTERS),
        csr=canonical.base64_bytes(document, "csr"),
    )


def _read_sign_head(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "size", "root", "consistency")
    proof = canonical.items(document, "consistency", maximum=MAX_PROOF_HASHES)
    return SignHeadRequest(
        size=canonical.integer(document, "size"),
        root=_digest(document, "root"),
        consistency=tuple(_digest({"consistency": item}, "consistency") for item in proof),
    )


def _read_sign_crl(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "issuer", "revocations")
    listed = canonical.items(document, "revocations", maximum=MAX_REVOCATIONS)
    return SignCrlRequest(
        issuer=Name.parse(canonical.text(document, "issuer")),
        revocations=tuple(_revocation(item) for item in listed),
    )


def _read_root_crl(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op")
    return RootCrlRequest()


def _read_sign_ocsp(document: Mapping[str, object]) -> Request:
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


_READERS: Mapping[str, Callable[[Mapping[str, object]], Request]] = {
    Op.DESCRIBE: _read_describe,
    Op.SIGN: _read_sign,
    Op.TIMESTAMP: _read_timestamp,
    Op.ISSUE: _read_issue,
    Op.SIGN_HEAD: _read_sign_head,
    Op.SIGN_CRL: _read_sign_crl,
    Op.ROOT_CRL: _read_root_crl,
    Op.SIGN_OCSP: _read_sign_ocsp,
    **administration.READERS,
}


def _reader(op: str) -> Callable[[Mapping[str, object]], Request]:
    reader = _READERS.get(op)
    if reader is None:
        raise InvalidDocument("op", f"one of {', '.join(_READERS)}", ascii(op[:80]))
    return reader


def _purpose(document: Mapping[str, object], *, allowed: frozenset[Purpose]) -> Purpose:
    found = canonical.text(document, "purpose")
    for purpose in allowed:
        if found == purpose.value:
            return purpose
    names = " or ".join(sorted(allowed))
    raise WrongPurpose(f"purpose: expected {names}, found {found[:80]!a}")


def _digest(document: Mapping[str, object], field: str) -> bytes:
    digest = canonical.base64_bytes(document, field)
    if len(digest) != DIGEST_BYTES:
        raise InvalidDocument(field, f"{DIGEST_BYTES} bytes", f"{len(digest)}")
    return digest


def _encoded(data: bytes) -> str:
    return canonical.base64_text(data)

# SPDX-License-Identifier: Apache-2.0
"""The signer's requests as values, and the frames in which messages travel (docs/spec/signer.md).

Both sides import this, so that what one writes the other reads. What may be signed is decided in
service; here only the shape is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .. import canonical
from ..certificates import Purpose
from ..errors import InvalidDocument
from ..intermediates import Name
from . import administration, claims, revocations, vouchers
from .administration import AdministrationRequest
from .claims import SignClaimRequest
from .errors import BadRequest, WrongPurpose
from .revocations import RevocationRequest, RootCrlRequest, SignCrlRequest, SignOcspRequest

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
LENGTH_BYTES = 4
DIGEST_BYTES = 32
MAX_SUBJECT_CHARACTERS = 1024
RESPONDER = "OCSP:"  # in a subject's place, before an intermediate's name: no URL begins so
MAX_PROOF_HASHES = 128  # two for each level of a tree of 2^64 entries
MAX_CLAIMS = 256  # in one request: with some 5 KB in the answer to each, far below a message
SIGNED_PURPOSES = frozenset({Purpose.CHECKPOINT, Purpose.OUTPUT, Purpose.CONDUCT})
CLAIM_FIELDS = ("subject", "salt", "statement", "conduct_sha256")


class Op(StrEnum):
    """What can be asked of the signer."""

    DESCRIBE = "describe"
    SIGN = "sign"
    SIGN_ALL = "sign_all"
    TIMESTAMP = "timestamp"
    PRECERTIFY = "precertify"
    CERTIFY = "certify"
    CERTIFICATE = "certificate"
    AUTHORITIES = "authorities"
    SIGN_HEAD = "sign_head"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeRequest:
    """Say who you are, and how large the largest tree head was that you signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest:
    """Sign this statement for this purpose, in the name of this subject."""

    purpose: Purpose
    subject: str
    statement: bytes
    conduct_sha256: str | None = None
    """The conduct policy that the subject's certificate names, if it names one."""
    salt: bytes | None = field(default=None, repr=False)
    """Where the subject is a person: of the pseudonym that stands in the certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignAllRequest:
    """Sign each of these: one that may not be signed keeps none of the others from it."""

    claims: tuple[SignRequest, ...]
    """All for one purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRequest:
    """Answer this RFC 3161 query (DER)."""

    request: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecertifyRequest:
    """Make a precertificate for this subject, to be logged before it is certified."""

    purpose: Purpose
    subject: str
    csr: bytes | None = None
    """A PKCS#10 request (DER) where the key is the subject's own."""
    conduct_sha256: str | None = None
    salt: bytes | None = field(default=None, repr=False)
    """Where the subject is a person: of the pseudonym that stands in the certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyRequest:
    """Give the certificate of a precertificate, which these hashes prove to be in the ledger."""

    precertificate_sha256: str
    index: int
    size: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """Show the certificate that signs for this purpose and subject now, if there is one."""

    purpose: Purpose
    subject: str
    conduct_sha256: str | None = None
    salt: bytes | None = field(default=None, repr=False)
    """Where the subject is a person: of the pseudonym that stands in the certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoritiesRequest:
    """Show the certificates that issue others: the root, then the intermediates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignHeadRequest:
    """Sign this tree; `consistency` leads to it from the high-water mark."""

    size: int
    root: bytes
    consistency: tuple[bytes, ...]


Request = (
    DescribeRequest
    | SignRequest
    | SignClaimRequest
    | SignAllRequest
    | TimestampRequest
    | PrecertifyRequest
    | CertifyRequest
    | CertificateRequest
    | AuthoritiesRequest
    | SignHeadRequest
    | RevocationRequest
    | AdministrationRequest
    | vouchers.Voucher
)


def responder_of(issuer: Name) -> str:
    """What stands in the subject's place for whoever answers OCSP for an intermediate."""
    return f"{RESPONDER}{issuer}"


def frame(message: bytes) -> bytes:
    """A message as it goes over the socket: its length (4 bytes, big-endian), then itself."""
    return len(message).to_bytes(LENGTH_BYTES, "big") + message


def request_message(request: Request) -> bytes:
    """What the client sends."""
    if isinstance(request, vouchers.Voucher | SignClaimRequest):
        return canonical.dumps(_framed_here(request))
    match request:
        case DescribeRequest():
            document: dict[str, object] = {"op": Op.DESCRIBE.value}
        case SignRequest() | SignAllRequest():
            document = _about_statements(request)
        case TimestampRequest():
            document = {"op": Op.TIMESTAMP.value, "request": _encoded(request.request)}
        case PrecertifyRequest() | CertifyRequest() | CertificateRequest() | AuthoritiesRequest():
            document = _about_certificates(request)
        case SignHeadRequest():
            document = {
                "consistency": [_encoded(digest) for digest in request.consistency],
                "op": Op.SIGN_HEAD.value,
                "root": _encoded(request.root),
                "size": request.size,
            }
        case SignCrlRequest() | SignOcspRequest() | RootCrlRequest():
            document = revocations.to_json(request)
        case _:
            document = administration.to_json(request)
    return canonical.dumps(document)


def _framed_here(request: vouchers.Voucher | SignClaimRequest) -> dict[str, object]:
    """What has its shape elsewhere."""
    if isinstance(request, SignClaimRequest):
        return claims.to_json(request)
    return vouchers.to_json(request)


def _about_statements(request: SignRequest | SignAllRequest) -> dict[str, object]:
    match request:
        case SignRequest():
            return {"op": Op.SIGN.value, "purpose": request.purpose.value, **_claim(request)}
        case SignAllRequest():
            (purpose,) = {each.purpose.value for each in request.claims}
            listed = [_claim(each) for each in request.claims]
            return {"claims": listed, "op": Op.SIGN_ALL.value, "purpose": purpose}


def _claim(request: SignRequest) -> dict[str, object]:
    return {
        "conduct_sha256": request.conduct_sha256,
        "salt": _salted(request),
        "statement": _encoded(request.statement),
        "subject": request.subject,
    }


def _about_certificates(
    request: PrecertifyRequest | CertifyRequest | CertificateRequest | AuthoritiesRequest,
) -> dict[str, object]:
    match request:
        case PrecertifyRequest():
            return {
                "conduct_sha256": request.conduct_sha256,
                "csr": None if request.csr is None else _encoded(request.csr),
                "op": Op.PRECERTIFY.value,
                "purpose": request.purpose.value,
                "salt": _salted(request),
                "subject": request.subject,
            }
        case CertifyRequest():
            return {
                "hashes": [_encoded(digest) for digest in request.hashes],
                "index": request.index,
                "op": Op.CERTIFY.value,
                "precertificate": request.precertificate_sha256,
                "size": request.size,
            }
        case CertificateRequest():
            return {
                "conduct_sha256": request.conduct_sha256,
                "op": Op.CERTIFICATE.value,
                "purpose": request.purpose.value,
                "salt": _salted(request),
                "subject": request.subject,
            }
        case AuthoritiesRequest():
            return {"op": Op.AUTHORITIES.value}


def parse_request(message: bytes) -> Request:
    """What the server understood; raises BadRequest or WrongPurpose."""
    try:
        loaded = canonical.loads(message, max_bytes=MAX_MESSAGE_BYTES)
        document = canonical.as_mapping(loaded, "request")
        return _reader(canonical.text(document, "op"))(document)
    except InvalidDocument as error:
        raise BadRequest(str(error)) from error


def _read_sign(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "purpose", *CLAIM_FIELDS)
    return _read_claim(document, _purpose(document, allowed=SIGNED_PURPOSES))


def _read_sign_all(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "purpose", "claims")
    purpose = _purpose(document, allowed=SIGNED_PURPOSES)
    claims: list[SignRequest] = []
    for number, value in enumerate(canonical.items(document, "claims", maximum=MAX_CLAIMS)):
        with canonical.within(f"claims[{number}]"):
            claim = canonical.as_mapping(value, "claim")
            canonical.only(claim, *CLAIM_FIELDS)
            claims.append(_read_claim(claim, purpose))
    return SignAllRequest(claims=tuple(claims))


def _read_claim(document: Mapping[str, object], purpose: Purpose) -> SignRequest:
    return SignRequest(
        purpose=purpose,
        subject=canonical.text(document, "subject", max_characters=MAX_SUBJECT_CHARACTERS),
        statement=canonical.base64_bytes(document, "statement"),
        conduct_sha256=canonical.nullable(document, "conduct_sha256", canonical.sha256_hex),
        salt=_salt(document),
    )


def _read_timestamp(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "request")
    return TimestampRequest(request=canonical.base64_bytes(document, "request"))


def _read_precertify(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "purpose", "subject", "salt", "csr", "conduct_sha256")
    return PrecertifyRequest(
        purpose=_purpose(document, allowed=frozenset(Purpose)),
        subject=canonical.text(document, "subject", max_characters=MAX_SUBJECT_CHARACTERS),
        csr=canonical.nullable(document, "csr", canonical.base64_bytes),
        conduct_sha256=canonical.nullable(document, "conduct_sha256", canonical.sha256_hex),
        salt=_salt(document),
    )


def _read_certify(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "precertificate", "index", "size", "hashes")
    return CertifyRequest(
        precertificate_sha256=canonical.sha256_hex(document, "precertificate"),
        index=canonical.integer(document, "index"),
        size=canonical.integer(document, "size"),
        hashes=_digests(document, "hashes"),
    )


def _read_certificate(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "purpose", "subject", "salt", "conduct_sha256")
    return CertificateRequest(
        purpose=_purpose(document, allowed=frozenset(Purpose)),
        subject=canonical.text(document, "subject", max_characters=MAX_SUBJECT_CHARACTERS),
        conduct_sha256=canonical.nullable(document, "conduct_sha256", canonical.sha256_hex),
        salt=_salt(document),
    )


def _read_sign_head(document: Mapping[str, object]) -> Request:
    canonical.only(document, "op", "size", "root", "consistency")
    return SignHeadRequest(
        size=canonical.integer(document, "size"),
        root=_digest(document, "root"),
        consistency=_digests(document, "consistency"),
    )


def _alone(request: Request) -> Callable[[Mapping[str, object]], Request]:
    """Reads what says nothing but what is asked."""

    def read(document: Mapping[str, object]) -> Request:
        canonical.only(document, "op")
        return request

    return read


_READERS: Mapping[str, Callable[[Mapping[str, object]], Request]] = {
    Op.DESCRIBE: _alone(DescribeRequest()),
    Op.SIGN: _read_sign,
    Op.SIGN_ALL: _read_sign_all,
    Op.TIMESTAMP: _read_timestamp,
    Op.PRECERTIFY: _read_precertify,
    Op.CERTIFY: _read_certify,
    Op.CERTIFICATE: _read_certificate,
    Op.AUTHORITIES: _alone(AuthoritiesRequest()),
    Op.SIGN_HEAD: _read_sign_head,
    **revocations.READERS,
    **administration.READERS,
    **vouchers.READERS,
    **claims.READERS,
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


def _salt(document: Mapping[str, object]) -> bytes | None:
    """A salt; None for null, and where the field is left out, as before there were pseudonyms."""
    if document.get("salt") is None:
        return None
    return bytes.fromhex(canonical.sha256_hex(document, "salt"))  # as many bytes as a digest


def _salted(request: SignRequest | PrecertifyRequest | CertificateRequest) -> str | None:
    return None if request.salt is None else request.salt.hex()


def _digests(document: Mapping[str, object], field: str) -> tuple[bytes, ...]:
    found = canonical.items(document, field, maximum=MAX_PROOF_HASHES)
    return tuple(_digest({field: item}, field) for item in found)


def _digest(document: Mapping[str, object], field: str) -> bytes:
    digest = canonical.base64_bytes(document, field)
    if len(digest) != DIGEST_BYTES:
        raise InvalidDocument(field, f"{DIGEST_BYTES} bytes", f"{len(digest)}")
    return digest


def _encoded(data: bytes) -> str:
    return canonical.base64_text(data)

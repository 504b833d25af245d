# SPDX-License-Identifier: Apache-2.0
"""OCSP (RFC 6960): questions read, answers made by a delegated responder, and answers judged.

One certificate a question. The issuer's own key answers nothing online: it certifies a responder
(`certificates.responder`). The caller brings moments and keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from enum import IntEnum
from typing import Self
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from . import der
from .certificates import MALFORMED
from .crls import Period, algorithm_of, elliptic_key, invalidity_date
from .errors import InvalidDocument, KeyUnusable
from .keys import Signer
from .revocation import Missing, NotRevoked, Reason, Revocation
from .values import dataclass

MAX_REQUEST_BYTES = 4 << 10
MAX_NONCE_BYTES = 128  # RFC 9654, 2.1

_BASIC = der.oid("1.3.6.1.5.5.7.48.1.1")
_NONCE = der.oid("1.3.6.1.5.5.7.48.1.2")
_SUCCESSFUL = der.enumerated(0)
_HASHES = {
    "sha1": der.sequence(der.oid("1.3.14.3.2.26"), der.NULL),
    "sha256": der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL),
    "sha384": der.sequence(der.oid("2.16.840.1.101.3.4.2.2"), der.NULL),
    "sha512": der.sequence(der.oid("2.16.840.1.101.3.4.2.3"), der.NULL),
}
# What `cryptography` raises for an answer that is none, or is signed in a way that it lacks.
UNREADABLE = (*MALFORMED, NotImplementedError, UnsupportedAlgorithm)


class Failure(IntEnum):
    """RFC 6960, 4.2.1: why there is no answer. A failure is not signed."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CertId:
    """Which certificate: its serial number, and two digests that name its issuer."""

    algorithm: str
    name_digest: bytes
    key_digest: bytes
    serial: int

    @classmethod
    def of(cls, serial: int, issuer: x509.Certificate, *, algorithm: str) -> Self:
        """As everybody writes it who knows the issuer."""
        return cls(
            algorithm=algorithm,
            name_digest=hashlib.new(algorithm, issuer.subject.public_bytes()).digest(),
            key_digest=key_digest(algorithm, issuer),
            serial=serial,
        )

    def is_issued_by(self, issuer: x509.Certificate) -> bool:
        """Whether this is the issuer that the digests name."""
        known = self.algorithm in _HASHES
        return known and self == CertId.of(self.serial, issuer, algorithm=self.algorithm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, and the nonce that the answer repeats."""

    about: CertId
    nonce: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """A key that answers, and the certificate by which the issuer lets it."""

    certificate: x509.Certificate
    key: Signer


def address(registry: str, issuer: str) -> str:
    """Where the responder of a purpose's intermediate answers; it is permanent."""
    return f"{registry}/authority/ocsp/{issuer}"


def from_path(text: str) -> bytes:
    """The DER of a request that is the rest of a GET's address (RFC 6960, A.1)."""
    try:
        return base64.b64decode(unquote(text), validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidDocument("request", "base64", "other characters") from error


def parse(request: bytes) -> Question:
    """Read an OCSPRequest (DER) about one certificate; who signed it is not asked."""
    if len(request) > MAX_REQUEST_BYTES:
        raise InvalidDocument("request", f"at most {MAX_REQUEST_BYTES} bytes", f"{len(request)}")
    try:
        found = ocsp.load_der_ocsp_request(request)
        question = Question(about=id_of(found), nonce=nonce_of(found))
        critical = [each.oid for each in found.extensions if each.critical]
    except UNREADABLE as error:
        raise InvalidDocument("request", "an OCSP request for one certificate", "none") from error
    if unknown := [each for each in critical if each != x509.OCSPNonce.oid]:  # RFC 6960, 4.4
        raise InvalidDocument("request", "no critical extension", unknown[0].dotted_string)
    if question.about.algorithm not in _HASHES:
        raise InvalidDocument("request", "SHA-1 or SHA-2", question.about.algorithm)
    if question.nonce is not None and not 0 < len(question.nonce) <= MAX_NONCE_BYTES:
        found_bytes = f"{len(question.nonce)}"
        raise InvalidDocument("nonce", f"1 to {MAX_NONCE_BYTES} bytes", found_bytes)
    return question


def respond(
    question: Question,
    finding: NotRevoked | Revocation | Missing,
    *,
    responder: Responder,
    period: Period,
) -> bytes:
    """A signed OCSPResponse: good, revoked, or unknown for what the issuer never issued."""
    public_key = responder.certificate.public_key()
    if responder.key.public_key != public_key:
        raise KeyUnusable("expected the responder's own key, found another")
    single = der.sequence(
        _written(question.about),
        _finding(finding),
        der.generalized_time(period.this_update),
        der.explicit(0, der.generalized_time(period.next_update)),
        _since(finding),
    )
    identifier = der.explicit(2, der.octets(key_digest("sha1", responder.certificate)))
    tbs = der.sequence(
        identifier, der.generalized_time(period.this_update), der.sequence(single), _echo(question)
    )
    ders = (responder.certificate.public_bytes(Encoding.DER),)
    return assemble(tbs, algorithm_of(public_key), responder.key.sign(tbs), ders)


def refuse(failure: Failure) -> bytes:
    """An OCSPResponse that holds no answer."""
    return der.sequence(der.enumerated(failure))


def id_of(found: ocsp.OCSPRequest | ocsp.OCSPResponse) -> CertId:
    """Which certificate a question or an answer is about."""
    return CertId(
        algorithm=found.hash_algorithm.name,
        name_digest=found.issuer_name_hash,
        key_digest=found.issuer_key_hash,
        serial=found.serial_number,
    )


def nonce_of(found: ocsp.OCSPRequest | ocsp.OCSPResponse) -> bytes | None:
    """The nonce of a question or an answer."""
    for extension in found.extensions:
        match extension.value:
            case x509.OCSPNonce(nonce=nonce):
                return nonce
            case _:
                pass
    return None


def key_digest(algorithm: str, certificate: x509.Certificate) -> bytes:
    """Of a certificate's key, without what kind of key it is (RFC 6960, 4.1.1)."""
    key = elliptic_key(certificate)
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return hashlib.new(algorithm, point).digest()


def _written(about: CertId) -> bytes:
    return der.sequence(
        _HASHES[about.algorithm],
        der.octets(about.name_digest),
        der.octets(about.key_digest),
        der.integer(about.serial),
    )


def _finding(finding: NotRevoked | Revocation | Missing) -> bytes:
    match finding:
        case NotRevoked():
            return der.implicit(0, b"")
        case Missing():
            return der.implicit(2, b"")
        case Revocation():
            moment = der.generalized_time(finding.revoked_at)
            if finding.reason is Reason.UNSPECIFIED:
                return der.explicit(1, moment)
            reason = der.explicit(0, der.enumerated(finding.reason.number))
            return der.explicit(1, moment + reason)


def _since(finding: NotRevoked | Revocation | Missing) -> bytes:
    """Since when a revoked one counts for nothing, always: who reads none must assume for ever."""
    if not isinstance(finding, Revocation):
        return b""
    moment = finding.invalid_from or finding.revoked_at
    return der.explicit(1, der.sequence(invalidity_date(moment)))  # singleExtensions


def _echo(question: Question) -> bytes:
    if question.nonce is None:
        return b""
    extension = der.sequence(_NONCE, der.octets(der.octets(question.nonce)))
    return der.explicit(1, der.sequence(extension))


def assemble(tbs: bytes, algorithm: bytes, signature: bytes, ders: tuple[bytes, ...]) -> bytes:
    """The one successful OCSPResponse that these parts make."""
    included = der.explicit(0, der.sequence(*ders)) if ders else b""
    basic = der.sequence(tbs, algorithm, der.bits(signature), included)
    content = der.sequence(_BASIC, der.octets(basic))
    return der.sequence(_SUCCESSFUL, der.explicit(0, content))

# SPDX-License-Identifier: Apache-2.0
"""Sigstore's `trusted_root.json`: authorities and logs, each with the period that it is trusted in.

Where the file comes from (TUF, a company's own) is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .. import canonical, certificates
from ..canonical import Obj
from ..errors import InvalidDocument
from ..keys import curve_of, hash_of

MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot"
MAX_AUTHORITIES = 64
MAX_CHAIN = 8
LogPublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From when, and until when if it has ended; both ends belong to it."""

    start: datetime
    end: datetime | None

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read `validFor`; without a start nothing is ever valid, so one is demanded."""
        with canonical.within("validFor"):
            has_end = obj.get("end") is not None
            return cls(start=_time(obj, "start"), end=_time(obj, "end") if has_end else None)

    def covers(self, at: datetime) -> bool:
        """Whether a moment is within it."""
        return self.start <= at and (self.end is None or at <= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A transparency log's key, or that of a certificate log."""

    log_id: bytes
    key: LogPublicKey
    period: Period

    def signed(self, signature: bytes, data: bytes) -> bool:
        """Whether this log signed exactly these bytes."""
        try:
            match self.key:
                case ec.EllipticCurvePublicKey():
                    self.key.verify(signature, data, ec.ECDSA(hash_of(self.key)))
                case ed25519.Ed25519PublicKey():
                    self.key.verify(signature, data)
                case rsa.RSAPublicKey():
                    self.key.verify(signature, data, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate or timestamp authority: its certificates up to the root, which is last."""

    chain: tuple[x509.Certificate, ...]
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoot:
    """Whom to trust for what."""

    logs: tuple[Log, ...]
    certificate_logs: tuple[Log, ...]
    authorities: tuple[Authority, ...]
    timestamp_authorities: tuple[Authority, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the JSON form."""
        value = canonical.loads(data, has_fractions=True)
        obj = canonical.as_mapping(value, "trusted root")
        if not canonical.text(obj, "mediaType").startswith(MEDIA_TYPE):
            raise InvalidDocument("mediaType", MEDIA_TYPE, "another")
        return cls(
            logs=_logs(obj, "tlogs"),
            certificate_logs=_logs(obj, "ctlogs"),
            authorities=_authorities(obj, "certificateAuthorities"),
            timestamp_authorities=_authorities(obj, "timestampAuthorities"),
        )


def find_log(logs: Sequence[Log], log_id: bytes) -> Log | None:
    """The log of an id, if it is one of these."""
    return next((log for log in logs if log.log_id == log_id), None)


def _logs(obj: Obj, field: str) -> tuple[Log, ...]:
    with canonical.within(field):
        found = (_log(value) for value in _items(obj, field))
        return tuple(log for log in found if log is not None)


def _log(value: object) -> Log | None:
    """A log; none if its key is of a kind that is not known, so that the others still count."""
    obj = canonical.as_mapping(value, "log")
    key_obj = canonical.mapping(obj, "publicKey")
    try:
        key = load_der_public_key(canonical.base64_bytes(key_obj, "rawBytes"))
    except UnsupportedAlgorithm:
        return None
    except ValueError as error:
        raise InvalidDocument("rawBytes", "a public key in DER", "none") from error
    if not isinstance(key, LogPublicKey):
        return None
    if not isinstance(key, rsa.RSAPublicKey):
        curve_of(key)
    return Log(
        log_id=canonical.base64_bytes(canonical.mapping(obj, "logId"), "keyId"),
        key=key,
        period=Period.parse(canonical.mapping(key_obj, "validFor")),
    )


def _authorities(obj: Obj, field: str) -> tuple[Authority, ...]:
    with canonical.within(field):
        return tuple(_authority(value) for value in _items(obj, field))


def _authority(value: object) -> Authority:
    obj = canonical.as_mapping(value, "authority")
    chain = canonical.items(canonical.mapping(obj, "certChain"), "certificates", maximum=MAX_CHAIN)
    if not chain:
        raise InvalidDocument("certificates", "at least one", "none")
    found = [canonical.as_mapping(each, "certificates") for each in chain]
    return Authority(
        chain=tuple(
            certificates.load("rawBytes", canonical.base64_bytes(each, "rawBytes"))
            for each in found
        ),
        period=Period.parse(canonical.mapping(obj, "validFor")),
    )


def _items(obj: Obj, field: str) -> Sequence[object]:
    return canonical.items({field: obj.get(field) or ()}, field, maximum=MAX_AUTHORITIES)


def _time(obj: Obj, field: str) -> datetime:
    value = canonical.text(obj, field)
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidDocument(field, "a time (RFC 3339)", ascii(value[:80])) from error
    if at.tzinfo is None:
        raise InvalidDocument(field, "a time with its offset", ascii(value[:80]))
    return at

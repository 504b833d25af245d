# SPDX-License-Identifier: Apache-2.0
"""Signed certificate timestamps (RFC 6962): that a certificate was logged before it was one.

Exactly one in a certificate, version 1, by one P-256 key. Whether the entry is in the ledger is the
signer's to check before it makes one; here are only bytes, signatures and times that are given.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import canonical, der, forms, keys
from .certificates import Issuer
from .crls import algorithm_of
from .der import Element, NotDer
from .errors import BadSignature, KeyUnusable, NotLogged
from .keys import Curve, PublicKey, Signer
from .once import Same
from .values import dataclass

SCT_LIST = x509.PrecertificateSignedCertificateTimestamps.oid.dotted_string
POISON = x509.PrecertPoison.oid.dotted_string
ENTRY_V1 = "https://assay/certificate-entry/v1"

KEPT = 64  # as verified: few sign nearly all that one process verifies
_VERSION_1 = b"\x00"
_CERTIFICATE_TIMESTAMP = b"\x00"  # RFC 6962, 3.2: SignatureType
_PRECERT_ENTRY = b"\x00\x01"  # RFC 6962, 3.1: LogEntryType
_SHA256_ECDSA = b"\x04\x03"  # RFC 5246, 7.4.1.4.1: hash sha256(4), signature ecdsa(3)
_NO_EXTENSIONS = b"\x00\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST_MILLISECOND = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_EXTENSIONS = 3  # RFC 5280, 4.1: the tag of a certificate's extensions
_SCT_LIST = der.oid(SCT_LIST)
_NOT_SIGNED = frozenset({_SCT_LIST, der.oid(POISON)})

# Where the parts of a list of one timestamp begin; an ECDSA signature has at most 72 bytes.
_LOG_ID, _TIME, _SIGNATURE, _LAST = 7, 39, 53, 125


@dataclass(frozen=True, slots=True, kw_only=True)
class Sct:
    """A log's word that it has taken a certificate in."""

    log_id: bytes
    milliseconds: int
    """Since 1970, UTC."""
    signature: bytes

    @classmethod
    def parse(cls, value: bytes) -> Sct:
        """Read an extension's value; whatever is not exactly one timestamp of ours is refused."""
        found = cls(
            log_id=value[_LOG_ID:_TIME],
            milliseconds=int.from_bytes(value[_TIME : _TIME + 8], "big"),
            signature=value[_SIGNATURE:_LAST],
        )
        if found.value() != value:
            raise NotLogged("expected one timestamp of version 1 in the certificate, found another")
        return found

    def value(self) -> bytes:
        """The extension's value: an OCTET STRING around a list of one (RFC 6962, 3.3)."""
        timestamp = b"".join(
            (
                _VERSION_1,
                self.log_id,
                self.milliseconds.to_bytes(8, "big"),
                _NO_EXTENSIONS,
                _SHA256_ECDSA,
                _counted(self.signature, 2),
            )
        )
        return der.octets(_counted(_counted(timestamp, 2), 2))

    @property
    def at(self) -> datetime:
        """When; the last moment there is, where it says a later one."""
        return _EPOCH + min(self.milliseconds, _LAST_MILLISECOND) * _MILLISECOND


def log_id(key: PublicKey) -> bytes:
    """The id of the log that has this key (RFC 6962, 3.2)."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def make(
    precertificate: x509.Certificate, *, issuer: x509.Certificate, key: Signer, at: datetime
) -> Sct:
    """The log's signature over a precertificate that it holds."""
    if keys.curve_of(key.public_key) is not Curve.P256:
        raise KeyUnusable(f"expected a P-256 key, found {keys.curve_of(key.public_key)}")
    milliseconds = (at - _EPOCH) // _MILLISECOND
    signature = key.sign(_signed_bytes(precertificate, issuer, milliseconds))
    return Sct(log_id=log_id(key.public_key), milliseconds=milliseconds, signature=signature)


def certificate(precertificate: x509.Certificate, sct: Sct, *, issuer: Issuer) -> x509.Certificate:
    """The certificate that a precertificate announced: the timestamp in the place of the poison."""
    extension = der.sequence(der.oid(SCT_LIST), der.octets(sct.value()))
    body = _rebuilt(precertificate, extension)
    algorithm = algorithm_of(issuer.key.public_key)
    signed = der.sequence(body, algorithm, der.bits(issuer.key.sign(body)))
    return x509.load_der_x509_certificate(signed)


def verify(
    leaf: x509.Certificate, *, issuer: x509.Certificate, log: PublicKey, by: datetime
) -> datetime:
    """Check that a certificate was logged, and return when; raises NotLogged.

    1. It holds one timestamp, of version 1, and nothing beside it.
    2. The timestamp names this log.
    3. The log's key signed it, over this certificate and this issuer's key (RFC 6962, 3.2).
    4. It is not from after `by`, when the certificate was used.
    """
    at = _logged_at(Same(leaf), Same(issuer), Same(log))  # 1, 2, 3
    if at > by:  # 4
        raise NotLogged(
            f"expected a certificate logged by {canonical.instant_text(by)}, "
            f"found it logged at {canonical.instant_text(at)}"
        )
    return at


def ledger_entry(der_bytes: bytes) -> bytes:
    """The ledger's entry for a precertificate, or for a certificate that issues others (DER)."""
    return canonical.dumps({"certificate": canonical.base64_text(der_bytes), "type": ENTRY_V1})


@lru_cache(KEPT)
def _logged_at(
    leaf: Same[x509.Certificate], issuer: Same[x509.Certificate], log: Same[PublicKey]
) -> datetime:
    """By themselves: of the library's keys none has a hash, and of a certificate it takes long."""
    try:
        sct = Sct.parse(_value_in(leaf.value))  # 1
        signed = _signed_bytes(leaf.value, issuer.value, sct.milliseconds)
    except NotDer as error:
        raise NotLogged("expected a certificate with one timestamp, found another") from error
    key = keys.p256(keys.spki(log.value))
    if sct.log_id != log_id(key):  # 2
        raise NotLogged("expected a timestamp of the pinned log, found one of another log")
    try:
        keys.verify(key, sct.signature, signed)  # 3
    except BadSignature as error:
        message = "expected a timestamp over this certificate, found one over another"
        raise NotLogged(message) from error
    return sct.at


def _value_in(leaf: x509.Certificate) -> bytes:
    found = [each.value for each in forms.of(leaf).extensions if each.oid == _SCT_LIST]
    if not found:
        raise NotLogged("expected a certificate with a timestamp, found one without")
    if len(found) > 1:
        raise NotLogged("expected a certificate with one timestamp, found another")
    return found[0]


def _signed_bytes(
    certificate: x509.Certificate, issuer: x509.Certificate, milliseconds: int
) -> bytes:
    """What a log signs for a certificate and its issuer's key (RFC 6962, 3.2)."""
    issuer_key = forms.of(issuer).key
    return b"".join(
        (
            _VERSION_1,
            _CERTIFICATE_TIMESTAMP,
            milliseconds.to_bytes(8, "big"),
            _PRECERT_ENTRY,
            hashlib.sha256(issuer_key).digest(),
            _counted(_rebuilt(certificate), 3),
            _NO_EXTENSIONS,
        )
    )


def _rebuilt(certificate: x509.Certificate, *more: bytes) -> bytes:
    """The TBSCertificate without poison and timestamps, and with these extensions at its end."""
    *fields, last = der.inside(der.whole(certificate.tbs_certificate_bytes, der.SEQUENCE))
    extensions = der.inside(der.whole(last.content, der.SEQUENCE))
    kept = [each.encoded for each in extensions if _kind(each) not in _NOT_SIGNED]
    signed = [each.encoded for each in fields]
    return der.sequence(*signed, der.explicit(_EXTENSIONS, der.sequence(*kept, *more)))


def _kind(extension: Element) -> bytes:
    return der.inside(extension)[0].encoded


def _counted(data: bytes, length_bytes: int) -> bytes:
    """Bytes after how many they are (RFC 5246, 4.3)."""
    return len(data).to_bytes(length_bytes, "big") + data

# SPDX-License-Identifier: Apache-2.0
"""Certificate revocation lists (RFC 5280, 5): made by the issuer's own key, and read strictly.

Only whole lists by the issuer itself: OpenSSL reads no others unless it is told to (ADR 0006). The
caller brings moments and keys; what a finding means is decided in revocation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from . import der
from .certificates import MALFORMED
from .errors import BadRevocation, InvalidDocument, KeyUnusable
from .keys import Curve, Signer, curve_of
from .once import Same
from .revocation import Missing, Reason, Revocation, Revoked, Status, at_moment, worst
from .values import dataclass

MAX_BYTES = 8 << 20
MAX_LISTS = 64  # seven purposes and the root, and some intermediates that came before
MAX_NUMBER_BITS = 159  # RFC 5280, 5.2.3: 20 bytes
KEPT = 16  # as read, and what they say: the parts of an evidence ask eight about some ten

ROOT = "root"

_VERSION_2 = der.integer(1)
_ALGORITHMS = {
    Curve.P256: der.sequence(der.oid("1.2.840.10045.4.3.2")),
    Curve.P384: der.sequence(der.oid("1.2.840.10045.4.3.3")),
}
_AUTHORITY_KEY = der.oid("2.5.29.35")
_CRL_NUMBER = der.oid("2.5.29.20")
_REASON = der.oid("2.5.29.21")
_INVALIDITY_DATE = der.oid("2.5.29.24")
_KNOWN = frozenset({x509.AuthorityKeyIdentifier.oid, x509.CRLNumber.oid})


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From when a statement about revocations is, and when the next will be there at the latest."""

    this_update: datetime
    next_update: datetime


def address(registry: str, issuer: str) -> str:
    """Where the list of a purpose's intermediate, or of the root, is found; it is permanent."""
    return f"{registry}/authority/crl/{issuer}.crl"


def all_address(registry: str) -> str:
    """Where all lists of a registry are found in one PEM file."""
    return f"{registry}/authority/crls.pem"


def create(
    revocations: Iterable[Revocation],
    *,
    issuer: x509.Certificate,
    key: Signer,
    number: int,
    period: Period,
) -> bytes:
    """The DER of a whole list, ordered by serial number; `number` MUST grow with each list."""
    if key.public_key != issuer.public_key():
        raise KeyUnusable("expected the issuer's own key, found another")
    if not 0 <= number < 1 << MAX_NUMBER_BITS:
        raise InvalidDocument("number", f"at most {MAX_NUMBER_BITS} bits", f"{number:x}"[:50])
    entries = [_entry(each) for each in sorted(revocations, key=lambda each: each.serial)]
    algorithm = algorithm_of(key.public_key)
    tbs = der.sequence(
        _VERSION_2,
        algorithm,
        issuer.subject.public_bytes(),
        der.time(period.this_update),
        der.time(period.next_update),
        der.sequence(*entries) if entries else b"",  # RFC 5280, 5.1.2.6: absent when empty
        der.explicit(0, der.sequence(_authority_key(issuer), _number(number))),
    )
    return der.sequence(tbs, algorithm, der.bits(key.sign(tbs)))


def status_of(
    certificate: x509.Certificate,
    *,
    issuer: x509.Certificate,
    lists: Sequence[bytes],
    at: datetime,
) -> Status:
    """What the lists at hand say about a certificate; lists of other issuers say nothing.

    Raises BadRevocation for a list that is malformed, not the issuer's, or limited in a way that
    is not understood.

    1. There are few lists, each is not endless, and in DER as far as to its issuer's name.
    2. The list names this issuer, by name and by key identifier; another is passed over.
    3. The issuer may sign lists (keyUsage cRLSign).
    4. The issuer's key signed it, and nothing in it is outside the signature.
    5. It is a whole list with a number: no extension that limits or that is unknown and critical.
    6. A listed certificate is revoked; else the list counts until nextUpdate.
    """
    if len(lists) > MAX_LISTS:  # 1
        raise BadRevocation(f"expected at most {MAX_LISTS} revocation lists, found {len(lists)}")
    try:
        return _said(Same(certificate), Same(issuer), tuple(lists), at)
    except x509.ExtensionNotFound as error:
        raise BadRevocation(
            f"expected extension {error.oid.dotted_string} in a revocation list or its issuer, "
            "found none"
        ) from error
    except MALFORMED as error:
        raise BadRevocation("expected a revocation list in DER, found other bytes") from error


def read(encoded: bytes, *, issuer: x509.Certificate) -> x509.CertificateRevocationList:
    """A whole list (DER) that this issuer signed; raises BadRevocation for any other."""
    try:
        return _verified(encoded, issuer)
    except (x509.ExtensionNotFound, *MALFORMED) as error:
        raise BadRevocation("expected a revocation list of this issuer's, found another") from error


def number_of(found: x509.CertificateRevocationList) -> int:
    """The number of a list that was read; it grows with each."""
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def revocations(found: x509.CertificateRevocationList) -> tuple[Revocation, ...]:
    """What a list that was read says, as it can be said again in the next."""
    return tuple(_again(entry) for entry in found)


def algorithm_of(key: object) -> bytes:
    """The one AlgorithmIdentifier with which a key signs lists and answers."""
    curve = curve_of(key)
    if curve not in _ALGORITHMS:
        raise KeyUnusable(f"expected a P-256 or P-384 key, found {curve}")
    return _ALGORITHMS[curve]


def elliptic_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """A certificate's key, which must be on one of our curves."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyUnusable(f"expected a P-256 or P-384 key, found {type(key).__name__}")
    return key


def reason_of(flag: x509.ReasonFlags) -> Reason:
    """Ours; what we never say (a hold, an attribute authority) is unspecified."""
    return Reason.__members__.get(flag.name.upper(), Reason.UNSPECIFIED)


def invalidity_date(moment: datetime) -> bytes:
    """The extension, in a list's entry or an answer, that says since when nothing counts."""
    return der.sequence(_INVALIDITY_DATE, der.octets(der.generalized_time(moment)))


def _entry(revocation: Revocation) -> bytes:
    extensions = b""
    if revocation.reason is not Reason.UNSPECIFIED:  # RFC 5280, 5.3.1: then it is left out
        reason = der.octets(der.enumerated(revocation.reason.number))
        extensions += der.sequence(_REASON, reason)
    if revocation.invalid_from is not None:
        extensions += invalidity_date(revocation.invalid_from)
    return der.sequence(
        der.integer(revocation.serial),
        der.time(revocation.revoked_at),
        der.sequence(extensions) if extensions else b"",
    )


def _authority_key(issuer: x509.Certificate) -> bytes:
    identifier = der.sequence(der.implicit(0, _key_identifier(issuer)))
    return der.sequence(_AUTHORITY_KEY, der.octets(identifier))


def _number(number: int) -> bytes:
    return der.sequence(_CRL_NUMBER, der.octets(der.integer(number)))


def _key_identifier(issuer: x509.Certificate) -> bytes:
    return issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


@lru_cache(KEPT)
def _said(
    certificate: Same[x509.Certificate],
    issuer: Same[x509.Certificate],
    lists: tuple[bytes, ...],
    at: datetime,
) -> Status:
    return worst([_read(each, certificate.value, issuer.value, at) for each in lists])


def _read(
    encoded: bytes, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime
) -> Status:
    if len(encoded) > MAX_BYTES:  # 1
        raise BadRevocation(f"expected at most {MAX_BYTES} bytes, found {len(encoded)}")
    if _issuer_of(encoded) != issuer.subject.public_bytes():  # 2: whatever else is in it
        return Missing()
    if _identified(_loaded(encoded)) != _key_identifier(issuer):
        return Missing()
    found = _verified(encoded, issuer)  # 3, 4, 5
    entry = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is not None:  # 6
        return _revoked(entry)
    if found.next_update_utc is None:
        raise BadRevocation("expected a revocation list that says when the next comes, found none")
    return at_moment(found.last_update_utc, found.next_update_utc, at)


@lru_cache(KEPT)
def _loaded(encoded: bytes) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(encoded)


@lru_cache(KEPT)
def _verified(encoded: bytes, issuer: x509.Certificate) -> x509.CertificateRevocationList:
    found = _loaded(encoded)
    _check_signature(found, encoded, issuer)  # 3, 4
    _check_whole(found)  # 5
    return found


@lru_cache(KEPT)
def _issuer_of(encoded: bytes) -> bytes:
    """The name in a list, as both verifiers read it: by the elements before it alone."""
    signed = der.inside(der.whole(encoded, der.SEQUENCE))[:1]
    match tuple(field for each in signed for field in der.inside(each)):
        case (version, _, issuer, *_) if version.encoded == _VERSION_2:
            return issuer.encoded
        case _:
            raise BadRevocation("expected a revocation list of version 2, found another")


def _identified(found: x509.CertificateRevocationList) -> bytes:
    identifier = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    if identifier.key_identifier is None or identifier.authority_cert_issuer is not None:
        raise BadRevocation("expected its issuer's key identifier alone in a list, found another")
    return identifier.key_identifier


def _check_signature(
    found: x509.CertificateRevocationList, encoded: bytes, issuer: x509.Certificate
) -> None:
    if not issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign:  # 3
        raise BadRevocation("expected an issuer that may sign revocation lists, found one without")
    key = elliptic_key(issuer)
    algorithm = algorithm_of(key)
    again = der.sequence(found.tbs_certlist_bytes, algorithm, der.bits(found.signature))
    if again != encoded or not found.is_signature_valid(key):  # 4
        raise BadRevocation("expected a revocation list signed by its issuer, found another")


def _check_whole(found: x509.CertificateRevocationList) -> None:
    number = found.extensions.get_extension_for_class(x509.CRLNumber)
    if number.critical:
        raise BadRevocation("expected a number that is not critical, found a critical one")
    for extension in found.extensions:
        if extension.oid not in _KNOWN and (extension.critical or _limits(extension)):
            raise BadRevocation(f"expected a whole list, found {extension.oid.dotted_string} in it")
    for entry in found:
        for extension in entry.extensions:
            if extension.critical:
                raise BadRevocation(
                    f"expected entries without critical extensions, "
                    f"found {extension.oid.dotted_string}"
                )


def _limits(extension: x509.Extension[x509.ExtensionType]) -> bool:
    return isinstance(extension.value, x509.IssuingDistributionPoint | x509.DeltaCRLIndicator)


def _again(entry: x509.RevokedCertificate) -> Revocation:
    found = _revoked(entry)
    return Revocation(
        serial=entry.serial_number,
        revoked_at=found.revoked_at,
        reason=found.reason,
        invalid_from=found.invalid_from,
    )


def _revoked(entry: x509.RevokedCertificate) -> Revoked:
    reason, invalid_from = Reason.UNSPECIFIED, None
    for extension in entry.extensions:
        match extension.value:
            case x509.CRLReason(reason=flag):
                reason = reason_of(flag)
            case x509.InvalidityDate() as date:
                invalid_from = date.invalidity_date_utc
            case _:
                pass  # not critical: step 5
    return Revoked(reason=reason, revoked_at=entry.revocation_date_utc, invalid_from=invalid_from)

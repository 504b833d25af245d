# SPDX-License-Identifier: Apache-2.0
"""What an OCSP answer (RFC 6960) says about a certificate, once it is known who gave it.

No clock and no network: the caller brings the answer and the moment that it is judged at.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from . import certificates, keys, scts
from .crls import algorithm_of, elliptic_key, reason_of
from .errors import BadRevocation, BadSignature, InvalidDocument
from .keys import PublicKey
from .ocsp import UNREADABLE, assemble, id_of, key_digest, nonce_of
from .revocation import Missing, Reason, Revoked, Status, at_moment

MAX_RESPONSE_BYTES = 64 << 10
# Which extensions are read here, of a certificate and of an answer: any other one that is critical
# says something without which neither may be used (RFC 5280, 4.2; RFC 6960, 4.4).
_LEAF = x509.BasicConstraints(ca=False, path_length=None)
_OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING
_OF_RESPONDERS = (x509.KeyUsage, x509.ExtendedKeyUsage, x509.BasicConstraints)
_OF_ANSWERS = (x509.OCSPNonce, x509.InvalidityDate)
Kind = TypeVar("Kind", bound=x509.ExtensionType)
ALWAYS = datetime.fromtimestamp(0, UTC)
"""Nothing is proven to be from before it: witnesses count from it (C2SP tlog-cosignature)."""


def status_of(
    certificate: x509.Certificate,
    *,
    issuer: x509.Certificate,
    response: bytes,
    log: PublicKey,
    at: datetime,
    nonce: bytes | None = None,
) -> Status:
    """What an answer says about a certificate; one about another says nothing.

    Raises BadRevocation for what is no answer, or not by whom the issuer lets answer, and NotLogged
    where `log` has not seen who answers.

    1. It is a successful answer in DER, and not endless.
    2. It is about this certificate of this issuer; another is passed over.
    3. It is by the issuer's key, or by a key that the issuer certified for this at the answer's
       thisUpdate, as the ledger knew by then: of the moment judged at it says no less when it is
       from after it (`revocation.at_moment`).
    4. That key signed it; nothing in it is outside a signature, nothing critical is passed over.
    5. It repeats the nonce, if one was sent.
    6. Revoked is revoked, from the answer's invalidity date on; one without says not since when, so
       nothing that was signed counts. Good counts until nextUpdate, and no longer than the
       certificate of who answered; unknown says nothing.
    """
    if len(response) > MAX_RESPONSE_BYTES:  # 1
        raise BadRevocation(f"expected at most {MAX_RESPONSE_BYTES} bytes, found {len(response)}")
    try:
        found = ocsp.load_der_ocsp_response(response)
        if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise BadRevocation(f"expected an OCSP answer, found {found.response_status.name}")
        about = id_of(found)
        if about.serial != certificate.serial_number or not about.is_issued_by(issuer):  # 2
            return Missing()
        by = _responder(found, issuer, log)  # 3
        _check_signature(found, response, elliptic_key(by))  # 4
        _check_known("answer", found.extensions, _OF_ANSWERS)
        _check_known("answer", found.single_extensions, _OF_ANSWERS)
        if nonce is not None and nonce_of(found) != nonce:  # 5
            raise BadRevocation("expected an OCSP answer with the nonce that was sent, found none")
        return _status(found, at, ends=by.not_valid_after_utc)  # 6
    except InvalidDocument as error:
        raise BadRevocation(str(error)) from error
    except UNREADABLE as error:
        raise BadRevocation("expected an OCSP answer in DER, found other bytes") from error


def _responder(
    found: ocsp.OCSPResponse, issuer: x509.Certificate, log: PublicKey
) -> x509.Certificate:
    if found.responder_key_hash == key_digest("sha1", issuer):
        return issuer
    for each in found.certificates:
        responder = certificates.load("responder", each.public_bytes(Encoding.DER))
        if found.responder_key_hash == key_digest("sha1", responder):
            _check_responder(responder, issuer, found.this_update_utc)
            scts.verify(responder, issuer=issuer, log=log, by=found.this_update_utc)
            return responder
    raise BadRevocation("expected the certificate of the key that answered, found none")


def _check_responder(responder: x509.Certificate, issuer: x509.Certificate, at: datetime) -> None:
    try:
        responder.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise BadRevocation("expected a responder of the same issuer, found another") from error
    _check_known("responder", responder.extensions, _OF_RESPONDERS)
    _check_usages(responder.extensions)
    if not responder.not_valid_before_utc <= at <= responder.not_valid_after_utc:
        raise BadRevocation(f"expected a responder that is valid at {at:%Y-%m-%dT%H:%M:%SZ}")


def _value(extensions: x509.Extensions, kind: type[Kind]) -> Kind | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _check_usages(extensions: x509.Extensions) -> None:
    """Certified to answer, to sign with its own key, and to issue nothing (RFC 6960, 4.2.2.2)."""
    if _value(extensions, x509.ExtendedKeyUsage) != x509.ExtendedKeyUsage([_OCSP_SIGNING]):
        raise BadRevocation("expected a responder certified for OCSP alone, found another")
    is_authority = _value(extensions, x509.BasicConstraints) not in {None, _LEAF}
    match _value(extensions, x509.KeyUsage):
        case x509.KeyUsage(digital_signature=True, key_cert_sign=False) if not is_authority:
            pass
        case _:
            raise BadRevocation(
                "expected a responder whose key signs answers and no certificates, found another"
            )


def _check_known(
    what: str, extensions: x509.Extensions, known: tuple[type[x509.ExtensionType], ...]
) -> None:
    for each in extensions:
        if each.critical and not isinstance(each.value, known):
            oid = each.oid.dotted_string
            raise BadRevocation(f"expected no critical extension {oid} of an OCSP {what}, found it")


def _check_signature(
    found: ocsp.OCSPResponse, response: bytes, key: ec.EllipticCurvePublicKey
) -> None:
    ders = tuple(each.public_bytes(Encoding.DER) for each in found.certificates)
    tbs, signature = found.tbs_response_bytes, found.signature
    if assemble(tbs, algorithm_of(key), signature, ders) != response:
        raise BadRevocation("expected an OCSP answer without unsigned parts, found some")
    try:
        keys.verify(key, signature, tbs)
    except BadSignature as error:
        raise BadRevocation("expected an OCSP answer signed by its responder") from error


def _status(found: ocsp.OCSPResponse, at: datetime, *, ends: datetime) -> Status:
    moment, flag = found.revocation_time_utc, found.revocation_reason
    if moment is not None:
        reason = Reason.UNSPECIFIED if flag is None else reason_of(flag)
        return Revoked(reason=reason, revoked_at=moment, invalid_from=_invalid_from(found))
    if found.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        return Missing()
    if found.next_update_utc is None:
        raise BadRevocation("expected an OCSP answer that says until when, found none")
    return at_moment(found.this_update_utc, min(found.next_update_utc, ends), at)


def _invalid_from(found: ocsp.OCSPResponse) -> datetime:
    dates = [
        extension.value.invalidity_date_utc
        for extension in found.single_extensions
        if isinstance(extension.value, x509.InvalidityDate)
    ]
    return dates[0] if dates else ALWAYS

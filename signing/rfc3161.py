# SPDX-License-Identifier: Apache-2.0
"""RFC 3161 timestamps of authorities that are not ours, as they come: RSA or ECDSA, SHA-2.

Our own, which have one form and one authority, are in `timestamps`. A token that is over something
else, or of nobody that is trusted, raises `BadTimestamp`; a bad path, what `paths` raises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from asn1crypto import tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from .certificates import MALFORMED as MALFORMED_CERTIFICATE
from .errors import BadTimestamp
from .keys import Sha2
from .paths import key_of, verify_path

MAX_RESPONSE_BYTES = 64 << 10
MAX_CERTIFICATES = 8
HASHES: dict[str, Sha2] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_GRANTED = frozenset({"granted", "granted_with_mods"})
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError)

# asn1crypto has no types: each structure enters as Any here and leaves as a value of ours.
_Asn1: TypeAlias = Any
_TimeStampResp: _Asn1 = tsp.TimeStampResp
_NAMES_CERTIFICATE = {"signing_certificate": "sha1", "signing_certificate_v2": "sha256"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """What a timestamp proves."""

    at: datetime
    authority: x509.Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """The parts of a granted response that decide."""

    at: datetime
    imprint_hash: str
    imprint: bytes
    info: bytes
    signed_attributes: bytes
    """DER of the SET that is signed (RFC 5652, 5.4)."""
    content_type: str
    message_digest: bytes
    certificate_digest: tuple[str, bytes]
    digest_hash: str
    signature_algorithm: str
    """In asn1crypto's names, such as `sha256_ecdsa`."""
    signature: bytes
    signer: tuple[bytes, int] | bytes
    """Issuer (DER) and serial number, or subject key identifier."""
    certificates: tuple[bytes, ...]


def verify(response: bytes, *, data: bytes, anchors: Sequence[x509.Certificate]) -> Timestamp:
    """Check a response over `data` and return the time it proves, and who says so.

    1. It was granted, and its imprint is a digest of `data`.
    2. Its signed attributes are of this content and this certificate (RFC 5652, 5.4; RFC 5816).
    3. The certificate's key signed them.
    4. The certificate is for timestamps alone (RFC 3161, 2.3).
    5. Its path to an anchor, through what the token holds, is sound at the time that it states.
    """
    token = _parse(response)
    given = _certificates(token)
    leaf = _stamped_by(token, given, data)  # 1 to 4
    others = list(dict.fromkeys(each for each in given if each != leaf and each not in anchors))
    verify_path(leaf, others, anchors=anchors, at=token.at)  # 5
    return Timestamp(at=token.at, authority=leaf)


def verify_by(response: bytes, *, data: bytes, chain: Sequence[x509.Certificate]) -> Timestamp:
    """The same, by one authority: its path is `chain`, and nothing that the token brings.

    `chain` leads to an anchor, which is last, and begins with the authority's own certificate or,
    where that is not listed, with who issued it. Another authority below the same anchor is not it.
    """
    token = _parse(response)
    leaf = _stamped_by(token, [*chain, *_certificates(token)], data)
    others = [each for each in chain[:-1] if each != leaf]
    path = verify_path(leaf, others, anchors=chain[-1:], at=token.at)
    if tuple(chain) not in {path, path[1:]}:
        raise BadTimestamp("expected a timestamp by the listed authority, found another's")
    return Timestamp(at=token.at, authority=leaf)


def _stamped_by(token: _Token, given: Sequence[x509.Certificate], data: bytes) -> x509.Certificate:
    """The certificate of these whose key stamped the data."""
    if _digest(token.imprint_hash, data) != token.imprint:  # 1
        raise BadTimestamp("expected a timestamp over these bytes, found one over others")
    leaf = _signer(token, given)
    _check_attributes(token, leaf)  # 2
    _check_signature(token, key_of(leaf))  # 3
    _check_purpose(leaf)  # 4
    return leaf


def _parse(response: bytes) -> _Token:
    if len(response) > MAX_RESPONSE_BYTES:
        raise BadTimestamp(f"expected at most {MAX_RESPONSE_BYTES} bytes, found {len(response)}")
    try:
        return _token(_TimeStampResp.load(response, strict=True))
    except _MALFORMED as error:
        raise BadTimestamp("expected a TimeStampResp in DER, found other bytes") from error


def _token(parsed: _Asn1) -> _Token:
    if parsed["status"]["status"].native not in _GRANTED:
        raise BadTimestamp("expected a timestamp that was granted, found a refusal")
    signed: _Asn1 = parsed["time_stamp_token"]["content"]
    (signer,) = signed["signer_infos"]
    content: _Asn1 = signed["encap_content_info"]["content"]
    info: _Asn1 = content.parsed
    imprint: _Asn1 = info["message_imprint"]
    at = info["gen_time"].native
    if info["version"].native != "v1" or not isinstance(at, datetime):
        raise BadTimestamp("expected a TSTInfo of version 1 with a time, found another")
    _check_form(signed, signer)
    attributes = {each["type"].native: each["values"] for each in signer["signed_attrs"]}
    return _Token(
        at=at.astimezone(UTC),
        imprint_hash=imprint["hash_algorithm"]["algorithm"].native,
        imprint=imprint["hashed_message"].native,
        info=bytes(content),
        signed_attributes=signer["signed_attrs"].untag().dump(),
        content_type=attributes["content_type"][0].native,
        message_digest=attributes["message_digest"][0].native,
        certificate_digest=_certificate_digest(attributes),
        digest_hash=signer["digest_algorithm"]["algorithm"].native,
        signature_algorithm=signer["signature_algorithm"]["algorithm"].native,
        signature=signer["signature"].native,
        signer=_identifier(signer["sid"]),
        certificates=tuple(each.chosen.dump() for each in signed["certificates"] or ()),
    )


def _check_form(signed: _Asn1, signer: _Asn1) -> None:
    """What nothing signs: the versions (RFC 5652, 5.1 and 5.3), and which digests there are."""
    version = "v1" if signer["sid"].name == "issuer_and_serial_number" else "v3"
    if (signed["version"].native, signer["version"].native) != ("v3", version):
        raise BadTimestamp("expected the versions that such a token has, found others")
    digests = [each["algorithm"].native for each in signed["digest_algorithms"]]
    if signer["digest_algorithm"]["algorithm"].native not in digests:
        raise BadTimestamp("expected the signer's digest among those of the token, found others")


def _certificate_digest(attributes: dict[str, Any]) -> tuple[str, bytes]:
    """Which digest the signing certificate must have (RFC 2634, 5.4; RFC 5035, 3)."""
    for name, default in _NAMES_CERTIFICATE.items():
        if name in attributes:
            first: _Asn1 = attributes[name][0]["certs"][0]
            is_v2 = name.endswith("v2")
            kind = first["hash_algorithm"]["algorithm"].native if is_v2 else default
            return kind, first["cert_hash"].native
    raise BadTimestamp("expected a token that names its certificate, found none")


def _identifier(sid: _Asn1) -> tuple[bytes, int] | bytes:
    if sid.name == "issuer_and_serial_number":
        return sid.chosen["issuer"].dump(), sid.chosen["serial_number"].native
    return bytes(sid.chosen.native)


def _certificates(token: _Token) -> list[x509.Certificate]:
    if len(token.certificates) > MAX_CERTIFICATES:
        raise BadTimestamp(f"expected at most {MAX_CERTIFICATES} certificates, found more")
    try:
        return [x509.load_der_x509_certificate(der) for der in token.certificates]
    except MALFORMED_CERTIFICATE as error:
        raise BadTimestamp("expected well-formed certificates, found others") from error


def _signer(token: _Token, given: Sequence[x509.Certificate]) -> x509.Certificate:
    for certificate in given:
        if isinstance(token.signer, bytes):
            named: object = _key_identifier(certificate)
        else:
            named = (certificate.issuer.public_bytes(), certificate.serial_number)
        if named == token.signer:
            return certificate
    raise BadTimestamp("expected the timestamp authority's certificate, found none")


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (*MALFORMED_CERTIFICATE, x509.ExtensionNotFound):
        return None
    return extension.value.digest


def _check_attributes(token: _Token, leaf: x509.Certificate) -> None:
    name, expected = token.certificate_digest
    der = leaf.public_bytes(Encoding.DER)
    found = hashlib.sha1(der).digest() if name == "sha1" else _digest(name, der)  # noqa: S324 - RFC 2634 knows no other
    if token.content_type != "tst_info" or found != expected:
        raise BadTimestamp("expected signed attributes of this certificate, found others")
    if _digest(token.digest_hash, token.info) != token.message_digest:
        raise BadTimestamp("expected signed attributes of this content, found others")


def _check_signature(token: _Token, key: object) -> None:
    name = token.digest_hash
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                _check_algorithm(token, f"{name}_ecdsa")
                key.verify(token.signature, token.signed_attributes, ec.ECDSA(HASHES[name]))
            case rsa.RSAPublicKey():
                _check_algorithm(token, f"{name}_rsa", "rsassa_pkcs1v15")
                pkcs1 = padding.PKCS1v15()
                key.verify(token.signature, token.signed_attributes, pkcs1, HASHES[name])
            case _:
                raise BadTimestamp("expected an ECDSA or RSA key, found another")
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise BadTimestamp("expected a signature by the timestamp's own certificate") from error


def _check_algorithm(token: _Token, *names: str) -> None:
    if token.signature_algorithm not in names:
        found = ascii(token.signature_algorithm[:80])
        raise BadTimestamp(f"expected a signature by {' or '.join(names)}, found {found}")


def _check_purpose(leaf: x509.Certificate) -> None:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (*MALFORMED_CERTIFICATE, x509.ExtensionNotFound) as error:
        raise BadTimestamp("expected a certificate for timestamps, found another") from error
    if list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING] or not usage.critical:
        raise BadTimestamp("expected a certificate for timestamps alone, and critically so")


def _digest(name: str, data: bytes) -> bytes:
    if name not in HASHES:
        raise BadTimestamp(f"expected SHA-256, SHA-384 or SHA-512, found {name[:80]!a}")
    return hashlib.new(name, data).digest()

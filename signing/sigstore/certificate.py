# SPDX-License-Identifier: Apache-2.0
"""The signer's certificate: when it was used, who issued it, that it was logged, and for whom.

A certificate of minutes is judged at the time of the signature, which somebody else must say: a
timestamp authority, or a log that promised an entry at a time.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.certificate_transparency import LogEntryType, SignedCertificateTimestamp

from .. import rfc3161
from ..certificates import MALFORMED
from ..errors import NotLogged, UntrustedChain, VerificationError, WrongIdentity
from ..paths import verify_path
from ..provenance import ISSUER_V1, ISSUER_V2
from .roots import Authority, TrustedRoot, find_log

_UTF8String: Any = core.UTF8String  # asn1crypto has no types
USER_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who signed, and which provider said that it was them."""

    name: str
    """A mail address, or the URI of a machine or a workflow."""
    issuer: str


def stamped_times(
    timestamps: Sequence[bytes], signature: bytes, root: TrustedRoot
) -> list[datetime]:
    """The times that listed authorities, each in its period, put on a signature.

    What does not verify is no time, and so is the stamp of an authority that is not listed: that
    it leads to a root which is listed for another says nothing.
    """
    found = [_stamped_at(each, signature, root.timestamp_authorities) for each in timestamps]
    return [at for at in found if at is not None]


def _stamped_at(
    response: bytes, signature: bytes, authorities: Sequence[Authority]
) -> datetime | None:
    for authority in authorities:
        try:
            stamp = rfc3161.verify_by(response, data=signature, chain=authority.chain)
        except VerificationError:
            continue
        if authority.period.covers(stamp.at):
            return stamp.at
    return None


def verify_chain(
    leaf: x509.Certificate, times: Sequence[datetime], root: TrustedRoot
) -> x509.Certificate:
    """The certificate that issued the leaf, under one authority that is good at every time."""
    reasons: list[VerificationError] = []
    for authority in root.authorities:
        if all(authority.period.covers(at) for at in times):
            try:
                issuers = [_issuer(leaf, authority, at) for at in times]
            except VerificationError as error:
                reasons.append(error)
            else:
                return issuers[0]  # at every time the same: one authority has one path
    raise next(iter(reasons), UntrustedChain("expected an authority trusted then, found none"))


def _issuer(leaf: x509.Certificate, authority: Authority, at: datetime) -> x509.Certificate:
    *intermediates, anchor = authority.chain
    path = verify_path(leaf, intermediates, anchors=[anchor], at=at)
    return path[1] if path[1:] else anchor  # nobody issues himself, but for the anchor


def verify_sct(leaf: x509.Certificate, issuer: x509.Certificate, root: TrustedRoot) -> datetime:
    """When a trusted log took the certificate in (RFC 6962, 3.2, over the precertificate)."""
    try:
        extension = x509.PrecertificateSignedCertificateTimestamps
        (sct,) = leaf.extensions.get_extension_for_class(extension).value
        signed = _precertificate_entry(sct, leaf, issuer)
    except (*MALFORMED, x509.ExtensionNotFound) as error:
        raise NotLogged("expected one embedded certificate timestamp, found another") from error
    at: datetime = sct.timestamp.replace(tzinfo=UTC)
    log = find_log(root.certificate_logs, sct.log_id)
    if log is None or not log.period.covers(at):
        raise NotLogged("expected a certificate log that is trusted then, found another")
    if not isinstance(sct.signature_hash_algorithm, SHA256) or not log.signed(
        sct.signature, signed
    ):
        raise NotLogged("expected the log's signature over this certificate, found another")
    return at


def _precertificate_entry(
    sct: SignedCertificateTimestamp, leaf: x509.Certificate, issuer: x509.Certificate
) -> bytes:
    """What the log signed (RFC 6962, 3.2)."""
    spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = leaf.tbs_precertificate_bytes
    milliseconds = round(sct.timestamp.replace(tzinfo=UTC).timestamp() * 1000)
    return b"".join(
        (
            struct.pack(
                "!BBQH", sct.version.value, 0, milliseconds, LogEntryType.PRE_CERTIFICATE.value
            ),
            hashlib.sha256(spki).digest(),
            struct.pack("!I", len(body))[1:],
            body,
            struct.pack("!H", len(sct.extension_bytes)),
            sct.extension_bytes,
        )
    )


def identity_of(leaf: x509.Certificate) -> Identity:
    """Whom a certificate names, and who vouches; raises WrongIdentity unless it says each once."""
    try:
        names, issuers = _names(leaf), _issuers(leaf)
    except (*MALFORMED, x509.ExtensionNotFound) as error:
        raise WrongIdentity("expected a certificate that names an identity") from error
    if len(names) != 1 or len(issuers) != 1:
        raise WrongIdentity("expected one name and one issuer in the certificate, found others")
    return Identity(name=names[0], issuer=next(iter(issuers)))


def verify_identity(leaf: x509.Certificate, expected: Identity) -> None:
    """Raise `WrongIdentity` unless the certificate names this identity and this issuer."""
    try:
        names, issuers = _names(leaf), _issuers(leaf)
    except (*MALFORMED, x509.ExtensionNotFound) as error:
        raise WrongIdentity("expected a certificate that names an identity") from error
    if expected.name not in names:
        raise WrongIdentity(f"expected {expected.name!a}, found {', '.join(map(ascii, names))}")
    if issuers != {expected.issuer}:
        found = ", ".join(sorted(map(ascii, issuers))) or "none"
        raise WrongIdentity(f"expected the issuer {expected.issuer!a}, found {found}")


def _names(leaf: x509.Certificate) -> list[str]:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    others = names.get_values_for_type(x509.OtherName)
    return [
        *names.get_values_for_type(x509.RFC822Name),
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *(_utf8(other.value) for other in others if other.type_id == USER_NAME),
    ]


def _issuers(leaf: x509.Certificate) -> set[str]:
    """Every issuer that is stated; a certificate has one, in both forms or in either."""
    found: set[str] = set()
    for extension in leaf.extensions:
        if isinstance(extension.value, x509.UnrecognizedExtension):
            if extension.oid == ISSUER_V2:
                found.add(_utf8(extension.value.value))
            elif extension.oid == ISSUER_V1:
                found.add(extension.value.value.decode("utf-8"))
    return found


def _utf8(der: bytes) -> str:
    return str(_UTF8String.load(der, strict=True).native)

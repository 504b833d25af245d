# SPDX-License-Identifier: Apache-2.0
"""What a ledger entry is, read from its bytes alone: the log is older than any version of us.

Nothing is verified here: what a page shows is what is written, and the commands on it judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from cryptography import x509
from cryptography.x509.oid import NameOID

from assay.signing import canonical, certificates
from assay.signing.certificates import Purpose
from assay.signing.entries import EntryKind, kind_of
from assay.signing.errors import InvalidDocument
from assay.signing.provenance import CONDUCT
from assay.signing.scts import ENTRY_V1


class Role(StrEnum):
    """What a certificate is."""

    ROOT = "root"
    INTERMEDIATE = "intermediate"
    ANNOUNCED = "announced"
    """A precertificate (RFC 6962, 3.1), which was in the ledger before the certificate was one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateEntry:
    """A certificate that this registry's authority issued, or announced."""

    certificate: x509.Certificate

    @property
    def role(self) -> Role:
        """By what it may sign, and by its poison."""
        extensions = self.certificate.extensions
        if any(each.oid == x509.PrecertPoison.oid for each in extensions):
            return Role.ANNOUNCED
        is_own = self.certificate.subject == self.certificate.issuer
        return Role.ROOT if is_own else Role.INTERMEDIATE


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureEntry:
    """A signature with the certificate of who made it; what was signed is not in the ledger."""

    kind: EntryKind
    certificate: x509.Certificate
    signature: bytes
    sha256: str
    """Of what was signed: a file or a PAE (hashedrekord), an envelope's payload (dsse)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEntry:
    """Bytes of a form that is not known here."""


Body: TypeAlias = CertificateEntry | SignatureEntry | OtherEntry


def read(body: bytes) -> Body:
    """The entry with these bytes."""
    try:
        return _read(canonical.as_mapping(canonical.loads(body), "entry"), body)
    except InvalidDocument:
        return OtherEntry()


def subject(certificate: x509.Certificate) -> str:
    """Whom a certificate names: a URI, a mail address, or the authority's own words."""
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = extension.value
            uris = names.get_values_for_type(x509.UniformResourceIdentifier)
            return ", ".join(uris + names.get_values_for_type(x509.RFC822Name))
    return common_name(certificate.subject)


def common_name(name: x509.Name) -> str:
    """The words of a name."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return ", ".join(str(each.value) for each in found) or name.rfc4514_string()


def purpose(certificate: x509.Certificate) -> Purpose | None:
    """What it may sign, by its policy; the root is for nothing but certificates."""
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.CertificatePolicies):
            found = {policy.policy_identifier for policy in extension.value}
            return next((each for each in Purpose if each.oid in found), None)
    return None


def conduct_sha256(certificate: x509.Certificate) -> str:
    """The conduct policy that its holder accepted; empty for what is under none."""
    for extension in certificate.extensions:
        if extension.oid == CONDUCT and isinstance(extension.value, x509.UnrecognizedExtension):
            return extension.value.value[-32:].hex()  # an OCTET STRING of 32 bytes
    return ""


def _read(obj: canonical.Obj, body: bytes) -> Body:
    if obj.get("type") == ENTRY_V1:
        der = canonical.base64_bytes(obj, "certificate")
        return CertificateEntry(certificate=certificates.load("certificate", der))
    match kind_of(body):
        case EntryKind.DSSE:
            return _dsse(canonical.mapping(obj, "spec"))
        case EntryKind.HASHED:
            spec = canonical.mapping(obj, "spec")
            return _hashed(canonical.mapping(spec, "hashedRekordV002"))


def _dsse(spec: canonical.Obj) -> SignatureEntry:
    (signed,) = canonical.items(spec, "signatures", maximum=1) or ({},)
    found = canonical.as_mapping(signed, "signatures")
    payload = canonical.mapping(spec, "payloadHash")
    return SignatureEntry(
        kind=EntryKind.DSSE,
        certificate=_pem(canonical.base64_bytes(found, "verifier")),
        signature=canonical.base64_bytes(found, "signature"),
        sha256=canonical.sha256_hex(payload, "value"),
    )


def _hashed(spec: canonical.Obj) -> SignatureEntry:
    signature = canonical.mapping(spec, "signature")
    verifier = canonical.mapping(signature, "verifier")
    certificate = canonical.mapping(verifier, "x509Certificate")
    return SignatureEntry(
        kind=EntryKind.HASHED,
        certificate=certificates.load("rawBytes", canonical.base64_bytes(certificate, "rawBytes")),
        signature=canonical.base64_bytes(signature, "content"),
        sha256=canonical.base64_bytes(canonical.mapping(spec, "data"), "digest").hex(),
    )


def _pem(data: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise InvalidDocument("verifier", "a certificate in PEM", "another text") from error

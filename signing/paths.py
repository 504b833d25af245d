# SPDX-License-Identifier: Apache-2.0
"""Certificate paths of authorities that are not ours: any depth, any names, RFC 5280's rules.

What a leaf may be used for is left to the caller, as every profile demands something else; our own
chains have a stricter form (`certificates`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from .certificates import MALFORMED
from .errors import InvalidDocument, UntrustedChain, WrongPurpose

# Each one more may double the work of a path builder; no authority in use needs half as many.
MAX_INTERMEDIATES = 8
MAX_PEM_CERTIFICATES = 32

CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING


def verify_path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    *,
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> tuple[x509.Certificate, ...]:
    """The path from a leaf to one of the anchors, both included, that holds at one moment.

    1. There are at most eight intermediates.
    2. Names, signatures and constraints lead from the leaf to an anchor (RFC 5280, section 6).
    3. Every certificate of the path, the anchor too, is valid at `at`.
    """
    if len(intermediates) > MAX_INTERMEDIATES:  # 1
        raise UntrustedChain(
            f"expected at most {MAX_INTERMEDIATES} intermediates, found {len(intermediates)}"
        )
    if not anchors:
        raise UntrustedChain("expected a certificate to trust, found none")
    try:
        path = _verifier(anchors, at).verify(leaf, list(intermediates)).chain  # 2
    except verification.VerificationError as error:
        check_validity(leaf, at)  # the likeliest reason, and the clearest to say
        raise UntrustedChain("expected a path to a trusted certificate, found none") from error
    except MALFORMED as error:
        raise UntrustedChain("expected well-formed certificates, found others") from error
    for certificate in path:
        check_validity(certificate, at)  # 3
    return tuple(path)


def check_signs_code(leaf: x509.Certificate) -> None:
    """Raise `WrongPurpose` unless a leaf is for signatures (if it says), and for code signing."""
    try:
        extensions = leaf.extensions
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if CODE_SIGNING not in usages:
            raise WrongPurpose("expected a certificate for code signing, found another purpose")
        if not extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            raise WrongPurpose("expected a certificate for digital signatures, found another")
    except x509.ExtensionNotFound as error:
        if error.oid == x509.ExtendedKeyUsage.oid:
            raise WrongPurpose("expected a certificate for code signing, found none") from error
    except MALFORMED as error:
        raise UntrustedChain("expected a well-formed certificate, found another") from error


def key_of(certificate: x509.Certificate) -> object:
    """A certificate's public key, of whatever kind."""
    try:
        return certificate.public_key()
    except MALFORMED as error:
        raise UntrustedChain("expected a key of a known kind, found another") from error


def parse_pem(name: str, pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, of which there is at least one."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except MALFORMED as error:
        raise InvalidDocument(name, "certificates in PEM", "none") from error
    if len(found) > MAX_PEM_CERTIFICATES:
        raise InvalidDocument(name, f"at most {MAX_PEM_CERTIFICATES} certificates", "more")
    return tuple(found)


def _verifier(anchors: Sequence[x509.Certificate], at: datetime) -> verification.ClientVerifier:
    ca_policy = verification.ExtensionPolicy.webpki_defaults_ca().may_be_present(
        x509.ExtendedKeyUsage,  # Fulcio's intermediates carry one, the web's do not
        verification.Criticality.AGNOSTIC,
        None,
    )
    return (
        verification.PolicyBuilder()
        .store(verification.Store(list(anchors)))
        .time(at)
        .max_chain_depth(MAX_INTERMEDIATES)
        .extension_policies(
            ca_policy=ca_policy, ee_policy=verification.ExtensionPolicy.permit_all()
        )
        .build_client_verifier()
    )


def check_validity(certificate: x509.Certificate, at: datetime) -> None:
    """Raise `UntrustedChain` unless a certificate is valid at a moment."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= at <= end:
        raise UntrustedChain(
            f"expected a certificate valid at {at:%Y-%m-%dT%H:%M:%SZ}, found one valid "
            f"from {start:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ}"
        )

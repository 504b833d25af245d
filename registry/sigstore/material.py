# SPDX-License-Identifier: Apache-2.0
"""What the registry's authority consists of, as its signer shows it: all of it public."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from assay.signing import crls
from assay.signing.certificates import Chain, Purpose
from assay.signing.signer.client import SignerClient
from assay.signing.signer.protocol import CertificateRequest
from assay.signing.trust import TrustRoot
from registry.authority import revocations
from registry.ledger import barring, certificates
from registry.ledger import services as ledger

# What signs for people, programs and the registry: but times, and claims that C2PA's clients read.
SIGNING = frozenset(set(Purpose) - {Purpose.TIMESTAMP, Purpose.C2PA})


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Certificates that a Sigstore client has to know."""

    trust_root: TrustRoot
    intermediates: tuple[x509.Certificate, ...]
    """Those that issue now, and those whose place they took."""
    timestamps: tuple[Chain, ...]
    """Of the timestamp authority: what it stamps with now, and what it stamped with before."""
    ends: Mapping[int, datetime]
    """By serial number, since when a certificate of these is not believed, though it is valid."""

    @property
    def root(self) -> x509.Certificate:
        """The root of every chain here."""
        return self.trust_root.root

    def issuers(self, *purposes: Purpose) -> tuple[x509.Certificate, ...]:
        """The intermediates of some purposes."""
        return tuple(each for each in self.intermediates if purpose_of(each) in purposes)


def current() -> Material:
    """As it is now; raises SignerError. A few questions over a socket, so nothing is kept.

    Call it outside any transaction: the first time it has the timestamp authority certified.
    """
    client = ledger.signer()
    stamping = certificates.timestamping()
    certificates.ensure(stamping)
    asked = CertificateRequest(purpose=stamping.purpose, subject=stamping.subject)
    leaf = client.certificate(asked)
    _, *found = map(x509.load_der_x509_certificate, client.authorities())
    now = _chained(leaf, found)
    before = [each for each in certificates.chains(stamping) if each not in now]
    stamps = (*now, *before)
    return Material(
        trust_root=client.describe().trust_root,
        intermediates=tuple(found),
        timestamps=stamps,
        ends=_ends(client, [*found, *(each.leaf for each in stamps)]),
    )


def purpose_of(intermediate: x509.Certificate) -> Purpose:
    """What an intermediate of ours is for."""
    policies = intermediate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    named = {policy.policy_identifier for policy in policies}
    return next(purpose for purpose in Purpose if purpose.oid in named)


def _ends(client: SignerClient, listed: Sequence[x509.Certificate]) -> dict[int, datetime]:
    """Since when what was revoked does not count, and since when what was stopped signs no more.

    Of intermediates the root's list says so before any row of ours does.
    """
    ends = barring.since(listed)
    serials = {each.serial_number for each in listed}
    by_root = crls.revocations(x509.load_der_x509_crl(client.root_crl()))
    for each in (*by_root, *revocations.among(serials).values()):
        if each.serial in serials:
            ends[each.serial] = each.invalid_from or each.revoked_at
    return ends


def _chained(leaf: bytes | None, intermediates: list[x509.Certificate]) -> tuple[Chain, ...]:
    """A leaf with who issued it; rows know that too, but a restored database may lack them."""
    if leaf is None:
        return ()
    certificate = x509.load_der_x509_certificate(leaf)
    issuers = [each for each in intermediates if each.subject == certificate.issuer]
    return tuple(Chain(leaf=certificate, intermediate=each) for each in issuers)

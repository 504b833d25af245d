# SPDX-License-Identifier: Apache-2.0
"""What the registry's authority consists of, as its signer shows it: all of it public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from assay.signing.certificates import Chain, Purpose
from assay.signing.trust import TrustRoot
from registry.ledger import certificates
from registry.ledger import services as ledger

# What signs for people, programs and the registry. The timestamp authority signs only times.
SIGNING = frozenset(set(Purpose) - {Purpose.TIMESTAMP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Certificates and keys that a Sigstore client has to know."""

    trust_root: TrustRoot
    intermediates: Mapping[Purpose, x509.Certificate]
    timestamps: tuple[Chain, ...]
    """Of the timestamp authority: what it stamps with now, and what it stamped with before."""

    @property
    def root(self) -> x509.Certificate:
        """The root of every chain here."""
        return self.trust_root.root


def current() -> Material:
    """As it is now; raises SignerError. Two questions over a socket, so nothing is kept.

    Call it outside any transaction: the first time it has the timestamp authority certified.
    """
    client = ledger.signer()
    _, *intermediates = map(x509.load_der_x509_certificate, client.authorities())
    certificates.ensure(certificates.timestamping())
    return Material(
        trust_root=client.describe().trust_root,
        intermediates={purpose_of(each): each for each in intermediates},
        timestamps=certificates.chains(certificates.timestamping()),
    )


def purpose_of(intermediate: x509.Certificate) -> Purpose:
    """What an intermediate of ours is for."""
    policies = intermediate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    named = {policy.policy_identifier for policy in policies}
    return next(purpose for purpose in Purpose if purpose.oid in named)

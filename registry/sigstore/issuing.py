# SPDX-License-Identifier: Apache-2.0
"""Has a certificate of minutes made: announced, logged, and only then issued with its timestamp.

Unlike the registry's own certificates it is nobody's to renew: each request has one of its own, so
that two programs of one person never wait for, nor get, each other's.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import transaction

from assay.signing.certificates import Chain, Purpose
from assay.signing.signer.vouchers import PrecertifyIdentityRequest
from registry.accounts import queries as accounts
from registry.audit import services as audit
from registry.authority import issuing as authority
from registry.ledger import certificates
from registry.ledger import services as ledger

from .certifying import Identity, check_standing
from .material import Material


def issue(key: ec.EllipticCurvePublicKey, identity: Identity) -> Chain:
    """The certificate with its issuer's; raises SignerError or a Problem.

    Whether this identity may be certified is asked before it is announced, and again in the
    transaction in which the certificate is given. A crash between the steps leaves a precertificate
    in the ledger, which signs nothing.
    """
    with transaction.atomic():
        check_standing(identity)
    announced = ledger.signer().precertify_identity(
        PrecertifyIdentityRequest(
            name=identity.name.value,
            is_mail=identity.name.is_mail,
            issuer=identity.issuer,
            public_key=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )
    )
    return certificates.complete(
        announced,
        check=lambda: check_standing(identity),
        keep=lambda chain: _keep(chain, identity),
    )


def pems(*certificates_of: Chain, material: Material) -> list[str]:
    """Leaf, intermediate and root; without a chain, who issues these certificates."""
    found = [part for chain in certificates_of for part in (chain.leaf, chain.intermediate)]
    parts = found or material.issuers(Purpose.IDENTITY)[-1:]
    return [each.public_bytes(Encoding.PEM).decode() for each in (*parts, material.root)]


def _keep(chain: Chain, identity: Identity) -> None:
    """Listed, so that it can be revoked; and an audit row."""
    authority.keep(chain, Purpose.IDENTITY, identity.name.value)
    details = {"serial": f"{chain.leaf.serial_number:x}", "issuer": identity.issuer}
    audit.record(accounts.SYSTEM, "identity.certify", identity.name.value[:200], details)

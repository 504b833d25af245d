# SPDX-License-Identifier: Apache-2.0
"""Has a certificate of minutes made: announced, logged, and only then issued with its timestamp.

Unlike the registry's own certificates it is nobody's to renew: each request has one of its own, so
that two programs of one person never wait for, nor get, each other's.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import transaction

from assay.signing import scts
from assay.signing.certificates import Chain, Purpose
from assay.signing.digests import sha256
from assay.signing.signer.protocol import CertifyRequest
from assay.signing.signer.vouchers import PrecertifyIdentityRequest
from registry.accounts import queries as accounts
from registry.audit import services as audit
from registry.authority import issuing as authority
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from .certifying import Identity, check_standing
from .material import Material


def issue(key: ec.EllipticCurvePublicKey, identity: Identity) -> Chain:
    """The certificate with its issuer's; raises SignerError or a Problem.

    Whether this identity may be certified is asked before it is announced, and again in the
    transaction in which the certificate is given. A crash between the steps leaves a precertificate
    in the ledger, which signs nothing.
    """
    client = ledger.signer()
    with transaction.atomic():
        check_standing(identity)
    announced = client.precertify_identity(
        PrecertifyIdentityRequest(
            name=identity.name.value,
            is_mail=identity.name.is_mail,
            issuer=identity.issuer,
            public_key=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )
    )
    entry = ledger.log(scts.ledger_entry(announced))
    with ledger.sequencer():  # until it is issued, no tree head goes beyond its proof
        ledger.integrate()
        entry.refresh_from_db()
        proof = ledger_queries.proof(ledger.index_of(entry))
        request = CertifyRequest(
            precertificate_sha256=sha256(announced),
            index=proof.index,
            size=proof.size,
            hashes=proof.hashes,
        )
        with transaction.atomic():
            check_standing(identity)
            chain = client.certify(request)
            _keep(chain, identity)
    return chain


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

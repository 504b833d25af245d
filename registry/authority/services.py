# SPDX-License-Identifier: Apache-2.0
"""What is signed for whom: the code of conduct is enforced here, at the moment of each signature.

The keys are the signer's. This app decides that an owner is in good standing, has the signer sign,
and hands the result to the ledger, all in the caller's transaction.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from assay.signing.certificates import Chain, Purpose
from assay.signing.intermediates import Name
from assay.signing.statements import ConductReference, Statement
from registry.accounts import queries as accounts
from registry.accounts import services as accounts_services
from registry.accounts.queries import Namespace, Node
from registry.accounts.services import CertificateRequest
from registry.audit import services as audit
from registry.conduct import queries as conduct
from registry.conduct.errors import NotAccepted
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from .errors import WrongKey
from .models import Certificate


def sign(
    purpose: Purpose,
    owner: Namespace,
    statement: Statement,
    *,
    under: ConductReference | None = None,
) -> ledger_queries.Statement:
    """Have a statement signed in the owner's name, and log it as pending.

    The owner must have a live acceptance of the conduct version that the statement names, else of
    `under`, else of any. It is locked until the transaction ends, so that withdrawing it and using
    it never cross. Raises NotAccepted, or SignerError.
    """
    named = _conduct_of(statement) or under
    with transaction.atomic():
        if conduct.standing(owner, named) is None:
            raise NotAccepted(
                f"expected a live acceptance of {_named(named)} by {owner.name}, found none"
            )
        signed = ledger.signer().sign(purpose, owner.uri, statement.canonical())
        row = ledger.record(signed.envelope, signed.chain, signed.timestamp)
        _list(signed.chain, purpose, owner.uri)
    return row


def certify_node(node: Node, csr: CertificateRequest) -> Chain:
    """Have the node's key certified in its own name, for run statements only."""
    if csr.key_sha256 != node.public_key_sha256:
        raise WrongKey("expected a request for the key that the node joined with, found another")
    with transaction.atomic():
        chain = ledger.signer().issue(node.uri, csr.der)
        _list(chain, Purpose.NODE, node.uri)
        accounts_services.record_chain(node, pems(chain))
        details = {"serial": f"{chain.leaf.serial_number:x}"}
        audit.record(accounts.SYSTEM, "node.certify", node.actor, details)
    return chain


def pems(chain: Chain) -> tuple[str, str]:
    """The leaf and the intermediate, as PEM."""
    leaf, intermediate = (
        certificate.public_bytes(Encoding.PEM).decode()
        for certificate in (chain.leaf, chain.intermediate)
    )
    return leaf, intermediate


def _conduct_of(statement: Statement) -> ConductReference | None:
    if "conduct" not in statement.predicate:
        return None
    return ConductReference.parse(statement.predicate, "conduct")


def _named(reference: ConductReference | None) -> str:
    return "a conduct version" if reference is None else f"{reference.id}@{reference.version}"


def _list(chain: Chain, purpose: Purpose, subject: str) -> None:
    leaf = chain.leaf
    Certificate.objects.get_or_create(
        serial=f"{leaf.serial_number:x}",
        defaults={
            "subject": subject,
            "purpose": purpose.value,
            "issuer": str(Name.of(chain.intermediate)),
            "pem": chain.leaf_pem.decode(),
            "issued_at": leaf.not_valid_before_utc,
            "expires_at": leaf.not_valid_after_utc,
        },
    )

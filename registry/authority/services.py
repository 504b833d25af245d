# SPDX-License-Identifier: Apache-2.0
"""What is signed for whom: the code of conduct is enforced here, at the moment of each signature.

The keys are the signer's. This app decides that an owner is in good standing, has the signer sign,
and hands the result to the ledger, all in the caller's transaction. The owner's certificate comes
first, outside of it (issuing).
"""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from assay.signing.certificates import Chain, Purpose
from assay.signing.statements import ConductReference, Statement
from registry.accounts import queries as accounts
from registry.accounts import services as accounts_services
from registry.accounts.queries import Namespace, Node
from registry.accounts.services import CertificateRequest
from registry.audit import services as audit
from registry.conduct import queries as conduct
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger

from . import issuing
from .errors import WrongKey
from .issuing import ensure

__all__ = ["certify_node", "ensure", "pems", "sign"]


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
    it never cross. Call `ensure` before the transaction opens. Raises NotAccepted, or SignerError,
    of which NotCertified says that `ensure` was not called, or is too long ago.
    """
    named = _conduct_of(statement) or under
    with transaction.atomic():
        acceptance = conduct.standing(owner, named)
        if acceptance is None:
            raise issuing.not_accepted(owner, named)
        policy = acceptance.version.sha256
        salt = issuing.salt_of(owner)
        signed = ledger.signer().sign(purpose, owner.uri, statement.canonical(), policy, salt=salt)
        issuing.keep(signed.chain, purpose)
        return ledger.record(signed.envelope, signed.chain, signed.timestamp)


def certify_node(node: Node, csr: CertificateRequest) -> Chain:
    """Have the node's key certified in its own name, for run statements only."""
    if csr.key_sha256 != node.public_key_sha256:
        raise WrongKey("expected a request for the key that the node joined with, found another")
    chain = issuing.issue_for_node(node, csr.der)
    with transaction.atomic():
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

# SPDX-License-Identifier: Apache-2.0
"""What is signed for whom: the code of conduct is enforced here, at the moment of each signature.

The keys are the signer's. This app decides that an owner is in good standing, has the signer sign,
and hands the result to the ledger, all in the caller's transaction. The owner's certificate comes
first, outside of it (issuing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from assay.signing.certificates import Chain, Purpose
from assay.signing.envelope import Envelope
from assay.signing.errors import SignerError
from assay.signing.signer.answers import Signed
from assay.signing.signer.claims import SignClaimRequest
from assay.signing.signer.protocol import SignRequest
from assay.signing.statements import ConductReference, Statement
from registry.accounts import queries as accounts
from registry.accounts import services as accounts_services
from registry.accounts.queries import Namespace, Node
from registry.accounts.services import CertificateRequest
from registry.audit import services as audit
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger
from registry.ledger.errors import CertificateBarred

from . import issuing
from .errors import WrongKey
from .issuing import certified, ensure, ensure_next, issue_for_key

__all__ = [
    "Held",
    "certified",
    "certify_node",
    "ensure",
    "ensure_next",
    "hold",
    "issue_for_key",
    "pems",
    "sign",
    "sign_all",
    "sign_claim",
    "sign_each",
]


Refusal = SignerError | CertificateBarred


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """That somebody may sign, and as whom: until the transaction in which `hold` said so ends."""

    subject: str
    acceptance: conduct.Acceptance
    salt: bytes | None = field(repr=False)

    @property
    def conduct_sha256(self) -> str:
        """The version that was accepted."""
        return self.acceptance.version.sha256


def sign(
    purpose: Purpose,
    owner: Namespace,
    statement: Statement,
    *,
    under: ConductReference | None = None,
) -> ledger_queries.Statement:
    """Have a statement signed in the owner's name, and log it as pending: see `sign_all`."""
    (signed,) = sign_all(purpose, owner, (statement,), under=under)
    return signed


def sign_all(
    purpose: Purpose,
    owner: Namespace,
    statements: Sequence[Statement],
    *,
    under: ConductReference | None = None,
) -> list[ledger_queries.Statement]:
    """Have statements signed in the owner's name, and log them as pending, together.

    The owner must have a live acceptance of the conduct version that the statements name, else of
    `under`, else of any. It is locked until the transaction ends, so that withdrawing it and using
    it never cross. Call `ensure` before the transaction opens. Raises NotAccepted, or SignerError,
    of which NotCertified says that `ensure` was not called, or is too long ago.
    """
    named = _conduct_of(statements) or under
    with transaction.atomic():
        held = hold(owner, named)
        signed: list[ledger_queries.Statement] = []
        for each in sign_each(purpose, [(held, one) for one in statements]):
            if not isinstance(each, ledger_queries.Statement):
                raise each
            signed.append(each)
        return signed


def hold(owner: Namespace, under: ConductReference | None) -> Held:
    """See that the owner may sign under this version, or any, until the transaction ends.

    Raises NotAccepted, or NotAMember.
    """
    acceptance = standing.hold(owner, under)
    if acceptance is None:
        raise issuing.not_accepted(under)
    return Held(
        subject=owner.uri,
        acceptance=acceptance,
        salt=issuing.salt_of(owner),
    )


def sign_each(
    purpose: Purpose, asked: Sequence[tuple[Held, Statement]]
) -> list[ledger_queries.Statement | Refusal]:
    """Have statements of any owners signed and logged together, in the transaction that holds them.

    The signer is asked once. What of them it refuses, or what was signed under a certificate that
    is revoked by now, keeps none of the others. Raises SignerError where it signs nothing at all.
    """
    claims = [
        SignRequest(
            purpose=purpose,
            subject=held.subject,
            statement=one.canonical(),
            conduct_sha256=held.conduct_sha256,
            salt=held.salt,
        )
        for held, one in asked
    ]
    answers = ledger.signer().sign_all(claims)
    recorded = _record([each for each in answers if isinstance(each, Signed)], purpose)
    return [recorded[one.envelope] if isinstance(one, Signed) else one for one in answers]


def sign_claim(
    owner: Namespace, structure: bytes, *, under: ConductReference | None = None
) -> bytes:
    """Have a C2PA claim signed in the owner's name, as COSE has it; raises as `sign_all`.

    The claim is part of a file, and no entry of the ledger: that file's own statement is.
    """
    signer = ledger.signer()
    with transaction.atomic():
        held = hold(owner, under)
        request = SignClaimRequest(
            subject=held.subject,
            structure=structure,
            conduct_sha256=held.conduct_sha256,
            salt=held.salt,
        )
        return signer.sign_claim(request)


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


def _record(
    signed: Sequence[Signed], purpose: Purpose
) -> dict[Envelope, ledger_queries.Statement | CertificateBarred]:
    """List the certificates and log what they signed; of those that are barred by now, nothing."""
    issuing.keep_all({one.chain.leaf: one.chain for one in signed}.values(), purpose)
    found = ledger.record_all(signed)
    return {one.envelope: each for one, each in zip(signed, found, strict=True)}


def _conduct_of(statements: Sequence[Statement]) -> ConductReference | None:
    """What is signed together names one conduct version, or none."""
    predicates = [one.predicate for one in statements if "conduct" in one.predicate]
    named = {ConductReference.parse(each, "conduct") for each in predicates}
    if len(named) > 1:
        raise ValueError("expected statements under one conduct version, found several")
    return named.pop() if named else None

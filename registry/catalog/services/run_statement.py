# SPDX-License-Identifier: Apache-2.0
"""Whether a node's run statement belongs to the checkpoint that it came with."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from assay.signing import canonical
from assay.signing.certificates import Chain, Purpose
from assay.signing.chains import verify_chain
from assay.signing.errors import AssayError, InvalidDocument
from assay.signing.statements import RunClaim, Statement
from registry.authority import queries as authority
from registry.conduct import queries as conduct
from registry.ledger import barring

from ..content.submission import RunEvidence, Submission
from ..errors import RunStatementRefused
from ..models import Checkpoint, Project, State


def check(submission: Submission, run: RunEvidence, *, at: datetime) -> None:
    """Raises RunStatementRefused unless the statement is this node's, about this checkpoint.

    1. The node's certificates lead to our root, for the purpose `node`, name this node, and are
       not revoked (asked again when the statement is recorded).
    2. The envelope was signed with the certified key.
    3. It is a run statement, and its subject is this manifest.
    4. Run, node, step, recipe, data set and conduct are those of the lease.
    5. The checkpoint that it continued from is one of this project.
    """
    try:
        chain = parse_chain(run.node.chain)
        subject = verify_chain(
            chain, root=authority.trust_root().root, purpose=Purpose.NODE, at=at
        )  # 1
        run.envelope.verify(chain.public_key)  # 2
        claim = RunClaim.parse(Statement.parse(run.envelope.payload))  # 3
    except AssayError as error:
        raise RunStatementRefused(f"{error.code}: {error}") from error
    if barring.barred((chain.leaf, chain.intermediate)):
        raise RunStatementRefused("certificate: expected one that is not revoked, found another")
    _expect("certificate's subject", run.node.uri, subject)
    _expect("subject", submission.manifest.id, claim.manifest_sha256)
    for field, expected, found in _of_lease(submission, run, claim):  # 4
        _expect(field, expected, found)
    if claim.finished_at < claim.started_at:
        raise RunStatementRefused("finished_at: expected a time after started_at")
    _check_parent(submission.project, claim)  # 5


def parse_chain(pem: str) -> Chain:
    """A node's certificates, as accounts keeps them: leaf first."""
    try:
        leaf, intermediate = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise InvalidDocument("chain", "the node's two certificates", "others, or none") from error
    return Chain(leaf=leaf, intermediate=intermediate)


def _of_lease(
    submission: Submission, run: RunEvidence, claim: RunClaim
) -> tuple[tuple[str, object, object], ...]:
    return (
        ("run", run.run_id, claim.run),
        ("node", str(run.node.pk), claim.node),
        ("step", submission.step, claim.step),
        ("recipe", canonical.dumps(run.recipe), canonical.dumps(claim.recipe)),
        ("dataset", run.dataset.sha256, claim.dataset_sha256),
        ("conduct", conduct.reference(run.conduct), claim.conduct),
    )


def _expect(field: str, expected: object, found: object) -> None:
    if expected != found:
        raise RunStatementRefused(
            f"{field}: expected {str(expected)[:200]!r}, found {str(found)[:200]!r}"
        )


def _check_parent(project: Project, claim: RunClaim) -> None:
    if claim.parent_sha256 is None:
        return
    known = Checkpoint.objects.filter(
        project=project, manifest_sha256=claim.parent_sha256, step__lte=claim.step
    ).exclude(state=State.REJECTED)
    if not known.exists():
        raise RunStatementRefused(
            f"parent: expected an earlier checkpoint of {project}, found "
            f"sha256:{claim.parent_sha256}"
        )

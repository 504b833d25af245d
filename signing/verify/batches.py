# SPDX-License-Identifier: Apache-2.0
"""Verifying one output of a batch, by its proof: which steps, in which order.

1. The openings, if there are any (`openings`).
2. Every signed part for itself, eight steps each (`parts`): the batch, and the checkpoint with what
   it stands on (`below`).
3. `output.proof`: the proof leads from the output's own statement to the root that was signed.
4. `output.tree-head`: it leads on, from the batch's entry to a tree that the pinned ledger signed.
5. What is at hand: `text`, and `files` against the checkpoint's manifest.
6. The tree heads, the proof's too, are of one history (`heads`).
7. The links: `output.checkpoint`, `output.conduct`, `output.lines` where they are there, which is
   always wrong (no output of a batch names any), `output.credentials` of a file with a C2PA
   manifest, and those of the checkpoint.
8. The checkpoints that the run continued from, as far as they are at hand (`descent`).
9. The acceptances at hand, of those who signed any of this (`accepted`).
"""

from __future__ import annotations

from dataclasses import replace

from .. import merkle, treehead
from ..bundle import Bundle
from ..digests import as_id
from ..errors import MissingEvidence, NotInLedger, Step
from ..evidence import Evidence, Part
from ..manifest import Manifest
from ..media import Carrier
from ..statements import BatchClaim, OutputClaim, Placed
from ..tlog import Proof
from ..treehead import TreeHead
from ..trust import TrustRoot
from .accepted import Signed
from .artifacts import compare_content, link_credentials, link_output, with_output
from .below import compare_files, examine_below, link_below
from .descent import heads, walk_on
from .heads import one_history
from .kinds import BATCH
from .opening import opening
from .parts import examine
from .report import Compared, Content, Examination, Finding, Match, Report, Verified
from .requirements import Basis


def examine_batched(
    evidence: Evidence,
    proof: Proof,
    *,
    basis: Basis,
    content: Content | None,
    files: Manifest | None = None,
    carrier: Carrier | None = None,
) -> Examination:
    """Take every step for an output of a batch. What is not given is not compared.

    A `carrier` is the content with a C2PA manifest.
    """
    report = Report()
    basis = opening(report, evidence, basis)
    bundles = evidence.bundles
    batch = examine(report, BATCH, bundles.get(Part.BATCH), basis, is_artifact=True)
    below = examine_below(report, evidence, basis)
    claim = report.check(  # 3
        "output.proof",
        "The output is one of the batch",
        lambda: _found(batch.claim.get(), proof),
    )
    report.check(  # 4
        "output.tree-head",
        "The ledger signed the tree that the proof leads to",
        lambda: _logged(batch.bundle.get(), proof, basis.trust),
    )
    compared = Finding(Compared(match=Match.NOT_COMPARED))
    if content is not None:
        compared = compare_content(report, claim, content, evidence, basis)
    compare_files(report, evidence, files)
    beside = {"proof": proof.note, **heads(basis)}
    one_history(report, bundles.items(), basis.trust, beside=beside)
    link_output(report, claim, below, evidence)
    if carrier is not None:
        link_credentials(report, claim, carrier, basis)
    link_below(report, below)
    walked = walk_on(report, below, basis, Signed(name="batch", part=batch))

    def establish(steps: tuple[Step, ...]) -> Verified:
        found = walked.added_to(below.verified("output", steps))
        parts = (batch.signed(), *found.parts)
        return with_output(replace(found, parts=parts), claim.get(), compared.get())

    return report.finish(establish)


def _found(batch: BatchClaim, proof: Proof) -> tuple[OutputClaim, str]:
    if proof.extra is None:
        raise MissingEvidence("expected the output's place in its batch (`extra`), found none")
    placed = Placed.parse(proof.extra)
    claim = batch.find(placed)
    return claim, f"output {placed.index} of {batch.count}, {as_id(claim.exact_sha256)}"


def _logged(batch: Bundle, proof: Proof, trust: TrustRoot) -> tuple[TreeHead, str]:
    head = treehead.verify(proof.note, trust.verifier)
    if proof.index != batch.proof.index:
        raise NotInLedger(
            f"expected the batch's entry, {batch.proof.index}, found a proof for {proof.index}"
        )
    leaf = merkle.leaf_hash(batch.entry)
    merkle.verify_inclusion(leaf, proof.index, head.size, proof.hashes, head.root)
    return head, f"entry {proof.index} of {head.size}"

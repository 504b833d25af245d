# SPDX-License-Identifier: Apache-2.0
"""Verifying what somebody says a checkpoint achieved: which steps, in which order.

1. The openings, if there are any (`openings`).
2. Every signed part for itself, eight steps each (`parts`): the evaluation, its withdrawal if there
   is one, and the checkpoint with what it stands on (`below`).
3. The files at hand, if there are any (`files`).
4. The tree heads are of one history (`heads`).
5. The links: `evaluation.checkpoint`, `evaluation.conduct`, `withdrawal.evaluation`, and those of
   the checkpoint.
6. The checkpoints that the run continued from, as far as they are at hand (`descent`).
7. The acceptances at hand, of those who signed any of this (`accepted`).

The figures themselves nobody verifies here: they are the word of whoever signed.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import Step
from ..evidence import Evidence, Part
from ..manifest import Manifest
from ..statements import EvaluationClaim, WithdrawalClaim
from . import links
from .accepted import Signed
from .below import Below, compare_files, examine_below, link_below
from .descent import heads, walk_on
from .heads import one_history
from .kinds import EVALUATION, WITHDRAWAL
from .opening import opening
from .parts import Examined, examine
from .report import Examination, Report, Verified
from .requirements import Basis


def examine_evaluation(
    evidence: Evidence, *, basis: Basis, files: Manifest | None = None
) -> Examination:
    """Take every step for an evaluation. Without files, none are compared."""
    report = Report()
    basis = opening(report, evidence, basis)
    given = evidence.bundles
    evaluation = examine(report, EVALUATION, given.get(Part.EVALUATION), basis, is_artifact=True)
    withdrawal = None
    if Part.WITHDRAWAL in given:
        withdrawal = examine(report, WITHDRAWAL, given[Part.WITHDRAWAL], basis)
    below = examine_below(report, evidence, basis)
    compare_files(report, evidence, files)
    one_history(report, given.items(), basis.trust, beside=heads(basis))
    _link(report, evaluation, withdrawal, below)
    link_below(report, below)
    walked = walk_on(report, below, basis, Signed(name="evaluation", part=evaluation))

    def establish(steps: tuple[Step, ...]) -> Verified:
        found = walked.added_to(below.verified("evaluation", steps))
        said = [evaluation.signed(), *([withdrawal.signed()] if withdrawal else [])]
        return replace(
            found,
            parts=(*said, *found.parts),
            evaluation=evaluation.claim.value,
            withdrawal=withdrawal.claim.value if withdrawal else None,
        )

    return report.finish(establish)


def _link(
    report: Report,
    evaluation: Examined[EvaluationClaim],
    withdrawal: Examined[WithdrawalClaim] | None,
    below: Below,
) -> None:
    checkpoint = below.checkpoint
    report.check(
        "evaluation.checkpoint",
        "The evaluation is of this checkpoint",
        lambda: links.evaluation_checkpoint(
            evaluation.claim.get(), checkpoint.claim.get(), checkpoint.statement_sha256
        ),
    )
    report.check(
        "evaluation.conduct",
        "The evaluation is under this conduct policy",
        lambda: links.conduct(evaluation.claim.get().conduct, below.conduct.claim.get()),
    )
    if withdrawal is not None:
        report.check(
            "withdrawal.evaluation",
            "The withdrawal is of this evaluation, by the same signer",
            lambda: links.withdrawal_evaluation(
                withdrawal.claim.get(),
                evaluation.statement_sha256,
                said_by=evaluation.signer.get(),
                signer=withdrawal.signer.get(),
            ),
        )

# SPDX-License-Identifier: Apache-2.0
"""Evidence of what Bob says that Alice's checkpoint achieved, and that he took it back."""

from __future__ import annotations

from dataclasses import replace

from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence
from assay.signing.statements import (
    Benchmark,
    Claim,
    EvaluationClaim,
    Harness,
    Metric,
    Result,
    WithdrawalClaim,
    Withdrawn,
)
from tests.signing.world import World, conduct_reference

ID = "5d2c2f4e-8f0a-4c39-9b0e-0c9ce3b1a0f2"


def evaluation_claim(world: World, below: Evidence) -> EvaluationClaim:
    """What Bob measured."""
    return EvaluationClaim(
        checkpoint_sha256=below.manifest.id,
        evaluation=ID,
        checkpoint_statement_sha256=sha256(below.bundles["checkpoint"].envelope.payload),
        conduct=conduct_reference(),
        result=Result(
            task="hellaswag",
            dataset=Benchmark(name="Rowan/hellaswag", sha256="ab" * 32),
            harness=Harness(name="lm-evaluation-harness", version="0.4.9", commit="97a5e2c"),
            config_sha256="cd" * 32,
            metrics=(
                Metric(name="acc", value="0.2504", standard_error="0.0043"),
                Metric(name="acc_norm", value="0.2511"),
            ),
            evaluated_at=world.at,
        ),
    )


def evidence_for_evaluation(world: World, by: str = "bob") -> Evidence:
    """Everything about an evaluation that stands."""
    below = world.evidence_for_checkpoint()
    return with_part(world, below, "evaluation", evaluation_claim(world, below), by)


def withdrawal_of(evidence: Evidence) -> WithdrawalClaim:
    """That the evaluation in it was a mistake."""
    signed = evidence.bundles["evaluation"].envelope.payload
    return WithdrawalClaim(evaluation_sha256=sha256(signed), reason=Withdrawn.MISTAKEN)


def withdrawn(world: World, by: str = "bob") -> Evidence:
    """The same once somebody took it back."""
    evidence = evidence_for_evaluation(world)
    return with_part(world, evidence, "withdrawal", withdrawal_of(evidence), by)


def with_part(
    world: World,
    evidence: Evidence,
    part: str,
    claim: Claim,
    by: str,
    *,
    purpose: Purpose = Purpose.CHECKPOINT,
) -> Evidence:
    """With another signed part."""
    bundle = world.bundle(world.sign(claim.statement(), purpose, by))
    return replace(evidence, bundles={**evidence.bundles, part: bundle})

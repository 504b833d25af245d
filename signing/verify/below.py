# SPDX-License-Identifier: Apache-2.0
"""A checkpoint and what it stands on: its run, data and conduct, each examined, then their links.

Which artifact this is for, and what there is to compare it with, is `artifacts`' to know.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Step
from ..evidence import Evidence, Part
from ..statements import CheckpointClaim, ConductClaim, DatasetClaim, RunClaim
from ..trust import TrustRoot
from . import links
from .kinds import CHECKPOINT, CONDUCT, DATASET, RUN
from .parts import Examined, examine
from .report import Finding, Report, Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """A checkpoint and what it stands on, each part examined for itself."""

    checkpoint: Examined[CheckpointClaim]
    run: Examined[RunClaim] | None
    dataset: Examined[DatasetClaim] | None
    conduct: Examined[ConductClaim]

    def verified(self, kind: str, trust: TrustRoot, steps: tuple[Step, ...]) -> Verified:
        """What was established, if every step passed."""
        examined = (self.checkpoint, self.run, self.dataset, self.conduct)
        return Verified(
            kind=kind,
            trust=trust,
            steps=steps,
            parts=tuple(each.signed() for each in examined if each is not None),
            checkpoint=self.checkpoint.claim.value,
            run=self.run.claim.value if self.run else None,
            dataset=self.dataset.claim.value if self.dataset else None,
            conduct=self.conduct.claim.value,
        )


def examine_below(report: Report, evidence: Evidence, trust: TrustRoot) -> Below:
    """Examine each part that is there, or that another one names."""
    bundles = evidence.bundles
    checkpoint = examine(report, CHECKPOINT, bundles.get(Part.CHECKPOINT), trust)
    claim = checkpoint.claim.value
    run = dataset = None
    if Part.RUN in bundles or (claim is not None and claim.run is not None):
        run = examine(report, RUN, bundles.get(Part.RUN), trust)
    is_named = claim is not None and claim.dataset_sha256 is not None
    is_trained_on = run is not None and run.claim.value is not None  # every run names its dataset
    if Part.DATASET in bundles or is_named or is_trained_on:
        dataset = examine(report, DATASET, bundles.get(Part.DATASET), trust)
    conduct = examine(report, CONDUCT, bundles.get(Part.CONDUCT), trust)
    return Below(checkpoint=checkpoint, run=run, dataset=dataset, conduct=conduct)


def link_below(report: Report, evidence: Evidence, trust: TrustRoot, below: Below) -> None:
    """Check that the parts belong together."""
    claim, conduct = below.checkpoint.claim, below.conduct.claim
    report.check(
        "checkpoint.registry",
        "The checkpoint was published by the pinned registry",
        lambda: links.checkpoint_registry(claim.get(), trust.registry),
    )
    report.check(
        "checkpoint.manifest",
        "The checkpoint's id is the digest of its manifest",
        lambda: links.checkpoint_manifest(claim.get(), evidence.manifest),
    )
    report.check(
        "checkpoint.oms",
        "The checkpoint names the root of its model signature",
        lambda: links.checkpoint_oms(claim.get(), evidence.manifest),
    )
    if below.run is not None:
        _link_run(report, claim, below.run, conduct)
    if below.dataset is not None:
        _link_dataset(report, below, below.dataset.claim)
    report.check(
        "checkpoint.conduct",
        "The checkpoint is under this conduct policy",
        lambda: links.conduct(claim.get().conduct, conduct.get()),
    )
    report.check(
        "conduct.policy",
        "The conduct policy is this document",
        lambda: links.policy(conduct.get(), evidence.policy),
    )


def _link_run(
    report: Report,
    claim: Finding[CheckpointClaim],
    run: Examined[RunClaim],
    conduct: Finding[ConductClaim],
) -> None:
    report.check(
        "checkpoint.run",
        "The checkpoint names this run, and the run this checkpoint",
        lambda: links.checkpoint_run(claim.get(), run.claim.get(), run.statement_sha256),
    )
    report.check(
        "run.conduct",
        "The run is under this conduct policy",
        lambda: links.conduct(run.claim.get().conduct, conduct.get()),
    )


def _link_dataset(report: Report, below: Below, dataset: Finding[DatasetClaim]) -> None:
    report.check(
        "checkpoint.dataset",
        "The checkpoint names this dataset",
        lambda: links.dataset(below.checkpoint.claim.get().dataset_sha256, dataset.get()),
    )
    run = below.run
    if run is not None:
        report.check(
            "run.dataset",
            "The run was trained on this dataset",
            lambda: links.dataset(run.claim.get().dataset_sha256, dataset.get()),
        )

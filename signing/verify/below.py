# SPDX-License-Identifier: Apache-2.0
"""A checkpoint and what it stands on: each part examined, the files compared, then the links.

Which artifact this is for, and what else there is to compare it with, is for others to know.
"""

from __future__ import annotations

from dataclasses import replace

from .. import oms
from ..bundle import Bundle
from ..digests import as_id, sha256
from ..errors import Step
from ..evidence import Evidence, Part
from ..manifest import Manifest
from ..statements import CheckpointClaim, ConductClaim, DatasetClaim, RunClaim, TakedownClaim
from ..values import dataclass
from . import links
from .kinds import CHECKPOINT, CONDUCT, DATASET, MODEL, RUN, TAKEDOWN
from .memory import Judgement, remembering
from .parts import Examined, examine
from .report import Finding, Report, SignedPart, Verified
from .requirements import Basis

_OF_WHAT_IS_ABOVE = frozenset({Part.OUTPUT, Part.BATCH, Part.EVALUATION, Part.WITHDRAWAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """A checkpoint and what it stands on, each part examined for itself."""

    evidence: Evidence
    basis: Basis
    """What they were judged by, and with nothing else: of what is above them it says nothing."""
    checkpoint: Examined[CheckpointClaim]
    run: Examined[RunClaim] | None
    dataset: Examined[DatasetClaim] | None
    conduct: Examined[ConductClaim]
    takedown: Examined[TakedownClaim] | None
    model: Examined[oms.ModelSignature] | None
    signed: tuple[SignedPart, ...] = ()
    """Each as proved; none where a step failed."""

    def verified(self, kind: str, steps: tuple[Step, ...]) -> Verified:
        """What was established, if every step passed."""
        return Verified(
            kind=kind,
            trust=self.basis.trust,
            requirements=self.basis.requirements,
            steps=steps,
            parts=self.signed,
            checkpoint=self.checkpoint.claim.value,
            run=self.run.claim.value if self.run else None,
            dataset=self.dataset.claim.value if self.dataset else None,
            conduct=self.conduct.claim.value,
            takedown=self.takedown.claim.value if self.takedown else None,
        )

    def proved(self) -> Below:
        """The same with what is proved, where every step about its parts passed."""
        below = (self.run, self.dataset, self.conduct, self.takedown, self.model)
        examined = (self.checkpoint, *below)
        return replace(self, signed=tuple(each.signed() for each in examined if each is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """All that the judgement of the parts depends on."""

    first: int
    """The number of its first step."""
    evidence: Evidence
    basis: Basis
    signature: Bundle | None
    is_artifact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Links:
    """All that the judgement of their links depends on."""

    first: int
    below: Below


def examine_below(
    report: Report,
    evidence: Evidence,
    basis: Basis,
    *,
    signature: Bundle | None = None,
    is_artifact: bool = False,
) -> Below:
    """Examine each part that is there, or that another one names.

    `signature` is the `model.sig` beside the files. Where the checkpoint is the artifact, the
    requirements say who must have signed it.
    """
    parts = _Parts(
        first=report.next_number,
        evidence=_without_what_is_above(evidence),
        basis=basis,
        signature=signature,
        is_artifact=is_artifact,
    )
    return report.take(_examined(parts))


def link_below(report: Report, below: Below) -> None:
    """Check that the parts belong together."""
    report.take(_linked(_Links(first=report.next_number, below=below)))


def _without_what_is_above(evidence: Evidence) -> Evidence:
    """What is the same for every output of a checkpoint."""
    bundles = evidence.bundles
    if _OF_WHAT_IS_ABOVE.isdisjoint(bundles):
        return evidence
    below = {name: each for name, each in bundles.items() if name not in _OF_WHAT_IS_ABOVE}
    return replace(evidence, bundles=below, lines=None)


@remembering
def _examined(parts: _Parts) -> Judgement[Below]:
    report, basis = Report(first=parts.first), parts.basis
    bundles = parts.evidence.bundles
    signed = bundles.get(Part.CHECKPOINT)
    checkpoint = examine(report, CHECKPOINT, signed, basis, is_artifact=parts.is_artifact)
    claim = checkpoint.claim.value
    run = dataset = None
    if Part.RUN in bundles or (claim is not None and claim.run is not None):
        run = examine(report, RUN, bundles.get(Part.RUN), basis)
    is_named = claim is not None and claim.dataset_sha256 is not None
    is_trained_on = run is not None and run.claim.value is not None  # every run names its dataset
    if Part.DATASET in bundles or is_named or is_trained_on:
        dataset = examine(report, DATASET, bundles.get(Part.DATASET), basis)
    conduct = examine(report, CONDUCT, bundles.get(Part.CONDUCT), basis)
    takedown = None
    if Part.TAKEDOWN in bundles:
        takedown = examine(report, TAKEDOWN, bundles[Part.TAKEDOWN], basis)
    known = _model(parts.evidence, parts.signature)
    below = Below(
        evidence=parts.evidence,
        basis=basis,
        checkpoint=checkpoint,
        run=run,
        dataset=dataset,
        conduct=conduct,
        takedown=takedown,
        model=None if known is None else examine(report, MODEL, known, basis),
    )
    judgement = report.judgement(below)
    return replace(judgement, found=below.proved()) if judgement.has_passed else judgement


def _model(evidence: Evidence, signature: Bundle | None) -> Bundle | None:
    """The model signature: the file's own, under the proof of the evidence if there is one.

    The file is as old as the checkpoint: no witness had seen its tree head when it was written.
    """
    proven = evidence.bundles.get(Part.MODEL)
    if signature is None or proven is None or signature.entry != proven.entry:
        return signature or proven
    return replace(signature, proof=proven.proof)


def compare_files(report: Report, evidence: Evidence, files: Manifest | None) -> None:
    """Hold the files at hand, if there are any, to the manifest."""
    if files is not None:
        report.check(
            "files",
            "The files are those that were signed",
            lambda: links.files(evidence.manifest, files),
        )


@remembering
def _linked(subject: _Links) -> Judgement[None]:
    below, report = subject.below, Report(first=subject.first)
    evidence, basis = below.evidence, below.basis
    claim, conduct = below.checkpoint.claim, below.conduct.claim
    report.check(
        "checkpoint.registry",
        "The checkpoint was published by the pinned registry",
        lambda: links.checkpoint_registry(claim.get(), basis.trust.registry),
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
    stated = evidence.tensors
    if stated is not None:
        report.check(
            "checkpoint.tensors",
            "The checkpoint names this list of tensors",
            lambda: links.checkpoint_tensors(claim.get(), stated),
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
    _link_text(report, conduct, basis)
    if below.takedown is not None:
        _link_takedown(report, below.checkpoint, below.takedown)
    if below.model is not None:
        _link_model(report, below.checkpoint, below.model)
    return report.judgement(None)


def _link_text(report: Report, conduct: Finding[ConductClaim], basis: Basis) -> None:
    """Where the text that people read is at hand; a text that nothing names is passed over."""
    named = conduct.value and conduct.value.text_sha256
    text = next((each for each in basis.texts if sha256(each) == named), None)
    if text is not None:
        report.check(
            "conduct.text",
            "The conduct policy's text is the one that people read",
            lambda: (text, f"{len(text)} bytes, {as_id(sha256(text))}"),
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


def _link_takedown(
    report: Report, checkpoint: Examined[CheckpointClaim], takedown: Examined[TakedownClaim]
) -> None:
    report.check(
        "takedown.checkpoint",
        "What was taken down is this checkpoint",
        lambda: links.takedown_checkpoint(
            takedown.claim.get(), checkpoint.claim.get(), checkpoint.statement_sha256
        ),
    )


def _link_model(
    report: Report, checkpoint: Examined[CheckpointClaim], model: Examined[oms.ModelSignature]
) -> None:
    report.check(
        "model.checkpoint",
        "The model signature is the one that the checkpoint names, by the same signer",
        lambda: links.model_checkpoint(
            checkpoint.claim.get(),
            model.claim.get(),
            owner=checkpoint.signer.get(),
            signer=model.signer.get(),
        ),
    )

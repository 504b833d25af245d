# SPDX-License-Identifier: Apache-2.0
"""Verifying an output, a checkpoint, a model signature or one bundle: which steps, in which order.

1. Every signed part for itself, six steps each (`parts`): the output, the checkpoint, the run, the
   dataset, the conduct policy; a part that nothing names and that is not there is not examined.
2. What is at hand: `text` against the output, `files` against the checkpoint's manifest.
3. The links (`links`): `output.checkpoint`, `output.conduct`; `checkpoint.registry`,
   `checkpoint.manifest`, `checkpoint.oms`, `checkpoint.run`, `checkpoint.dataset`,
   `checkpoint.conduct`; `run.dataset`, `run.conduct`; `conduct.policy`. An answer of the API is
   held to what was signed (`output.answer`, `output.request`), and a model signature beside a
   checkpoint's files to the checkpoint and the files (`model.checkpoint`, `model.files`).
"""

from __future__ import annotations

from dataclasses import replace

from .. import oms
from ..bundle import Bundle
from ..certificates import Purpose
from ..errors import Step
from ..evidence import Evidence, Part
from ..manifest import Manifest
from ..statements import CheckpointClaim, Origin, OutputClaim
from ..trust import TrustRoot
from . import links
from .below import Below, examine_below, link_below
from .kinds import MODEL, OUTPUT, any_of
from .parts import Examined, examine
from .report import Answer, Content, Examination, Finding, Match, Report, Verified


def verify_output(
    evidence: Evidence,
    *,
    trust: TrustRoot,
    content: Content | None,
    files: Manifest | None = None,
) -> Verified:
    """Verify an output down to its data and conduct; raises the first failure."""
    return examine_output(evidence, trust=trust, content=content, files=files).verdict()


def verify_checkpoint(evidence: Evidence, *, trust: TrustRoot, files: Manifest | None) -> Verified:
    """Verify a checkpoint down to its data and conduct; raises the first failure."""
    return examine_checkpoint(evidence, trust=trust, files=files).verdict()


def verify_model(bundle: Bundle, *, trust: TrustRoot, files: Manifest) -> Verified:
    """Verify files by nothing but the model signature beside them; raises the first failure."""
    return examine_model(bundle, trust=trust, files=files).verdict()


def verify_bundle(bundle: Bundle, *, trust: TrustRoot, purpose: Purpose) -> Verified:
    """Verify any one bundle for itself; raises the first failure."""
    return examine_bundle(bundle, trust=trust, purpose=purpose).verdict()


def examine_output(
    evidence: Evidence,
    *,
    trust: TrustRoot,
    content: Content | None,
    files: Manifest | None = None,
    answer: Answer | None = None,
) -> Examination:
    """Take every step for an output. What is not given, content or files, is not compared.

    Of an `answer` that claims a generated text, the text is part.
    """
    report = Report()
    output = examine(report, OUTPUT, evidence.bundles.get(Part.OUTPUT), trust)
    below = examine_below(report, evidence, trust)
    match = Finding(Match.NOT_COMPARED)
    if content is not None or (answer is not None and _is_generated(output.claim.value)):
        match = report.check(
            "text",
            "The content is what was signed",
            lambda: links.text(output.claim.get(), content),
        )
    _compare_files(report, evidence, files)
    _link_output(report, output, below)
    if answer is not None:
        _link_answer(report, output.claim, answer)
    link_below(report, evidence, trust, below)

    def establish(steps: tuple[Step, ...]) -> Verified:
        found = below.verified("output", trust, steps)
        parts = (output.signed(), *found.parts)
        return replace(found, parts=parts, output=output.claim.value, match=match.get())

    return report.finish(establish)


def examine_checkpoint(
    evidence: Evidence,
    *,
    trust: TrustRoot,
    files: Manifest | None,
    signature: Bundle | None = None,
) -> Examination:
    """Take every step for a checkpoint, and for the model signature beside its files if given.

    Without files, none are compared.
    """
    report = Report()
    below = examine_below(report, evidence, trust)
    model = None if signature is None else examine(report, MODEL, signature, trust)
    _compare_files(report, evidence, files)
    link_below(report, evidence, trust, below)
    if model is not None:
        _link_model(report, below.checkpoint.claim, model.claim, files)

    def establish(steps: tuple[Step, ...]) -> Verified:
        found = below.verified("checkpoint", trust, steps)
        return found if model is None else replace(found, parts=(*found.parts, model.signed()))

    return report.finish(establish)


def examine_model(bundle: Bundle, *, trust: TrustRoot, files: Manifest) -> Examination:
    """Take every step for a model signature: names and digests, as OMS knows no more."""
    report = Report()
    model = examine(report, MODEL, bundle, trust)
    report.check(
        "files",
        "The files are those that were signed",
        lambda: links.model_files(model.claim.get(), files),
    )
    return report.finish(
        lambda steps: Verified(kind="model", trust=trust, steps=steps, parts=(model.signed(),))
    )


def examine_bundle(bundle: Bundle, *, trust: TrustRoot, purpose: Purpose) -> Examination:
    """Take the six steps for any one bundle."""
    report = Report()
    found = examine(report, any_of(purpose), bundle, trust)
    return report.finish(
        lambda steps: Verified(kind="bundle", trust=trust, steps=steps, parts=(found.signed(),))
    )


def _is_generated(claim: OutputClaim | None) -> bool:
    return claim is not None and claim.claim is Origin.SERVER_GENERATED


def _compare_files(report: Report, evidence: Evidence, files: Manifest | None) -> None:
    if files is not None:
        report.check(
            "files",
            "The files are those that were signed",
            lambda: links.files(evidence.manifest, files),
        )


def _link_output(report: Report, output: Examined[OutputClaim], below: Below) -> None:
    checkpoint = below.checkpoint
    report.check(
        "output.checkpoint",
        "The output names this checkpoint",
        lambda: links.output_checkpoint(
            output.claim.get(), checkpoint.claim.get(), checkpoint.statement_sha256
        ),
    )
    report.check(
        "output.conduct",
        "The output is under this conduct policy",
        lambda: links.conduct(output.claim.get().conduct, below.conduct.claim.get()),
    )


def _link_answer(report: Report, claim: Finding[OutputClaim], answer: Answer) -> None:
    if answer.stated:
        report.check(
            "output.answer",
            "The answer says of the output what was signed",
            lambda: links.answer(claim.get(), answer),
        )
    request = answer.request
    if request is not None:
        report.check(
            "output.request",
            "The request shown is the one that was signed for",
            lambda: links.request(claim.get(), request),
        )


def _link_model(
    report: Report,
    claim: Finding[CheckpointClaim],
    model: Finding[oms.ModelSignature],
    files: Manifest | None,
) -> None:
    report.check(
        "model.checkpoint",
        "The model signature is the one that the checkpoint names",
        lambda: links.model_checkpoint(claim.get(), model.get()),
    )
    if files is not None:
        report.check(
            "model.files",
            "The files are those of the model signature",
            lambda: links.model_files(model.get(), files),
        )

# SPDX-License-Identifier: Apache-2.0
"""Verifying an output, a checkpoint, a model signature or one bundle: which steps, in which order.

1. The openings, if there are any (`openings`): each is of a pseudonym in these certificates.
2. Every signed part for itself, eight steps each (`parts`): the output, the checkpoint, the run,
   the dataset, the conduct policy, the takedown, the model signature; a part that nothing names and
   that is not there is not examined.
3. What is at hand: `text` against the output, `files` against the checkpoint's manifest, and the
   `tensors` in them against the list that the checkpoint names, if it names one.
4. The tree heads (`heads`): those that the ledger signed, of all bundles at hand and of the model
   signature beside the files, are of one history: of one size there is one root.
5. The links (`links`): `output.checkpoint`, `output.conduct`, `output.lines` where they are there;
   `checkpoint.registry`, `checkpoint.manifest`, `checkpoint.oms`, `checkpoint.tensors` where the
   list is there, `checkpoint.run`, `checkpoint.dataset`, `checkpoint.conduct`; `run.dataset`,
   `run.conduct`; `conduct.policy`, `conduct.text` where the text is there; `takedown.checkpoint`.
   An answer of the API is held to what was signed (`output.answer`, `output.request`), the C2PA
   manifest that a file carries to both its output and the root (`output.credentials`), and a model
   signature beside a checkpoint's files to the checkpoint and the files (`model.checkpoint`,
   `model.files`).
6. The checkpoints that the run continued from, as far as they are at hand (`descent`), each by the
   steps 1, 2 and 5 of a checkpoint: `base-1.checkpoint.statement` and so on.
7. The acceptances at hand, of those who signed any of this (`accepted`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import oms
from ..bundle import Bundle
from ..certificates import Purpose
from ..errors import Step
from ..evidence import Evidence, Part
from ..manifest import Manifest
from ..media import Carrier
from ..statements import Origin, OutputClaim
from ..tensors import TensorList
from ..trust import TrustRoot
from . import links
from .accepted import Signed
from .below import Below, compare_files, examine_below, link_below
from .descent import heads, walk_on
from .heads import one_history
from .kinds import MODEL, OUTPUT, any_of
from .opening import opening
from .parts import Examined, examine
from .report import Answer, Compared, Content, Examination, Finding, Match, Report, Verified
from .requirements import Basis, Requirements


def verify_output(
    evidence: Evidence,
    *,
    trust: TrustRoot,
    requirements: Requirements,
    content: Content | None,
    files: Manifest | None = None,
) -> Verified:
    """Verify an output down to its data and conduct; raises the first failure."""
    basis = Basis(trust=trust, requirements=requirements)
    return examine_output(evidence, basis=basis, content=content, files=files).verdict()


def verify_checkpoint(
    evidence: Evidence,
    *,
    trust: TrustRoot,
    requirements: Requirements,
    files: Manifest | None,
    tensors: TensorList | None = None,
) -> Verified:
    """Verify a checkpoint down to its data and conduct; raises the first failure."""
    basis = Basis(trust=trust, requirements=requirements)
    return examine_checkpoint(evidence, basis=basis, files=files, tensors=tensors).verdict()


def verify_model(bundle: Bundle, *, basis: Basis, files: Manifest) -> Verified:
    """Verify files by nothing but the model signature beside them; raises the first failure."""
    return examine_model(bundle, basis=basis, files=files).verdict()


def verify_bundle(bundle: Bundle, *, basis: Basis, purpose: Purpose) -> Verified:
    """Verify any one bundle for itself; raises the first failure."""
    return examine_bundle(bundle, basis=basis, purpose=purpose).verdict()


def examine_output(
    evidence: Evidence,
    *,
    basis: Basis,
    content: Content | None,
    files: Manifest | None = None,
    answer: Answer | None = None,
    carrier: Carrier | None = None,
) -> Examination:
    """Take every step for an output. What is not given, content or files, is not compared.

    `basis` may bring revocation lists besides those of the evidence.

    Of an `answer` that claims a generated text, the text is part. A `carrier` is the content with
    a C2PA manifest.
    """
    report = Report()
    basis = opening(report, evidence, basis)
    bundle = evidence.bundles.get(Part.OUTPUT)
    output = examine(report, OUTPUT, bundle, basis, is_artifact=True)
    below = examine_below(report, evidence, basis)
    compared = Finding(Compared(match=Match.NOT_COMPARED))
    if content is not None or (answer is not None and _is_generated(output.claim.value)):
        compared = compare_content(report, output.claim, content, evidence, basis)
    compare_files(report, evidence, files)
    one_history(report, evidence.bundles.items(), basis.trust, beside=heads(basis))
    link_output(report, output.claim, below, evidence)
    if answer is not None:
        _link_answer(report, output.claim, answer)
    if carrier is not None:
        link_credentials(report, output.claim, carrier, basis)
    link_below(report, below)
    walked = walk_on(report, below, basis, Signed(name="output", part=output))

    def establish(steps: tuple[Step, ...]) -> Verified:
        found = walked.added_to(below.verified("output", steps))
        parts = (output.signed(), *found.parts)
        return with_output(replace(found, parts=parts), output.claim.get(), compared.get())

    return report.finish(establish)


def examine_checkpoint(
    evidence: Evidence,
    *,
    basis: Basis,
    files: Manifest | None,
    signature: Bundle | None = None,
    tensors: TensorList | None = None,
) -> Examination:
    """Take every step for a checkpoint, and for the model signature beside its files if given.

    Without files, none are compared; `tensors` are those in the files at hand.
    """
    report = Report()
    basis = opening(report, evidence, basis)
    below = examine_below(report, evidence, basis, signature=signature, is_artifact=True)
    compare_files(report, evidence, files)
    if tensors is not None:
        report.check(
            "tensors",
            "The tensors in the files are those that were signed",
            lambda: links.tensors(below.checkpoint.claim.get(), evidence.tensors, tensors),
        )
    beside = () if signature is None else (("model signature beside the files", signature),)
    bundles = (*evidence.bundles.items(), *beside)
    one_history(report, bundles, basis.trust, beside=heads(basis))
    link_below(report, below)
    walked = walk_on(report, below, basis)
    if below.model is not None and files is not None:
        _compare_model(report, below.model.claim, files)
    return report.finish(lambda steps: walked.added_to(below.verified("checkpoint", steps)))


def examine_model(bundle: Bundle, *, basis: Basis, files: Manifest) -> Examination:
    """Take every step for a model signature: names and digests, as OMS knows no more."""
    report = Report()
    model = examine(report, MODEL, bundle, basis, is_artifact=True)
    report.check(
        "files",
        "The files are those that were signed",
        lambda: links.model_files(model.claim.get(), files),
    )
    return report.finish(lambda steps: _alone("model", basis, steps, model))


def examine_bundle(bundle: Bundle, *, basis: Basis, purpose: Purpose) -> Examination:
    """Take the eight steps for any one bundle."""
    report = Report()
    kind = any_of(purpose)
    found = examine(report, kind, bundle, basis, is_artifact=True)
    return report.finish(lambda steps: _alone("bundle", basis, steps, found))


def compare_content(
    report: Report,
    claim: Finding[OutputClaim],
    content: Content | None,
    evidence: Evidence,
    basis: Basis,
) -> Finding[Compared]:
    """Compare what is at hand with what an output was signed for."""
    accepts_excerpt = basis.requirements.accepts_excerpt
    return report.check(
        "text",
        "The content is what was signed",
        lambda: links.text(claim.get(), content, evidence.lines, accepts_excerpt=accepts_excerpt),
    )


def with_output(found: Verified, claim: OutputClaim, compared: Compared) -> Verified:
    """The same about an output, and how the content at hand compares with it."""
    return replace(found, output=claim, match=compared.match, excerpt=compared.excerpt)


def link_output(
    report: Report, claim: Finding[OutputClaim], below: Below, evidence: Evidence
) -> None:
    """Check that an output is of the checkpoint at hand, and under its rules; and its lines."""
    checkpoint = below.checkpoint
    report.check(
        "output.checkpoint",
        "The output names this checkpoint",
        lambda: links.output_checkpoint(
            claim.get(), checkpoint.claim.get(), checkpoint.statement_sha256
        ),
    )
    report.check(
        "output.conduct",
        "The output is under this conduct policy",
        lambda: links.conduct(claim.get().conduct, below.conduct.claim.get()),
    )
    lines = evidence.lines
    if lines is not None:
        report.check(
            "output.lines",
            "The lines are those that the output names",
            lambda: links.output_lines(claim.get(), lines),
        )


def link_credentials(
    report: Report, claim: Finding[OutputClaim], carrier: Carrier, basis: Basis
) -> None:
    """Compare the C2PA manifest that a file carries with the root, and with its output."""
    whose = "by whom you trust" if basis.anchors else "the registry's"
    report.check(
        "output.credentials",
        f"The C2PA manifest is {whose}, and says of the output what was signed",
        lambda: links.credentials(claim.get(), carrier, basis),
    )


def _alone(kind: str, basis: Basis, steps: tuple[Step, ...], examined: Examined[Any]) -> Verified:
    return Verified(
        kind=kind,
        trust=basis.trust,
        requirements=basis.requirements,
        steps=steps,
        parts=(examined.signed(),),
    )


def _is_generated(claim: OutputClaim | None) -> bool:
    return claim is not None and claim.claim is Origin.SERVER_GENERATED


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


def _compare_model(report: Report, model: Finding[oms.ModelSignature], files: Manifest) -> None:
    report.check(
        "model.files",
        "The files are those of the model signature",
        lambda: links.model_files(model.get(), files),
    )

# SPDX-License-Identifier: Apache-2.0
"""`assay verify`: check a checkpoint or an output offline, step by step, against what you pinned.

assay verify FOLDER [--evidence FILE]
assay verify ANSWER.json [--checkpoint FOLDER]
assay verify EVALUATION.json [--checkpoint FOLDER]
assay verify FILE [--evidence FILE]
assay verify FILE --evidence BATCH.json --proof FILE.tlog-proof
assay verify BUNDLE.json
assay verify FOLDER --method key|certificate|sigstore …

Who must have signed, which witnesses must have seen it, and for which moment it must be known that
nothing was revoked, are words of `demands`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from .. import media
from ..errors import NoTrustRoot, NotWitnessed, RevocationUnknown, VerificationError
from ..trust import Pinned
from ..verify import (
    Basis,
    Examination,
    examine_batched,
    examine_bundle,
    examine_checkpoint,
    examine_evaluation,
    examine_model,
    examine_output,
)
from . import demands, inputs, models, unpinned
from .demands import Demands
from .hashing import hasher
from .inputs import (
    BatchedGiven,
    BundleGiven,
    CheckpointGiven,
    EvaluationGiven,
    Given,
    ModelGiven,
    OutputGiven,
)
from .pins import Pins
from .programs import print_json
from .terminal import Ink, Terminal
from .verdict import Judged, cautions, print_steps, print_verdict

UNREAD = (
    "The file carries a C2PA manifest, which was not read. What verified is its bytes and their "
    f"evidence; to have the manifest judged too: {media.INSTALL}"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay verify`."""
    parser.set_defaults(refuse_words=parser.error)
    add = parser.add_argument
    add(
        "path", type=Path, metavar="PATH", help="a checkpoint's folder, an output, or an evaluation"
    )
    add("--evidence", type=Path, metavar="FILE", help="the evidence, if it is not where PATH is")
    add(
        "--proof",
        type=Path,
        metavar="FILE",
        help="with the evidence of a batch of outputs: the .tlog-proof of this one",
    )
    add(
        "--checkpoint",
        type=Path,
        metavar="FOLDER",
        help="with a file: compare the checkpoint's files too",
    )
    add(
        "--ignore",
        action="append",
        default=[],
        metavar="NAME",
        help="a file or folder that is not part of the checkpoint; may be repeated",
    )
    demands.add_arguments(parser)
    add("--json", action="store_true", help="for programs: one JSON document")
    models.add_arguments(parser)


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    progress: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Verify and say so; 0, or the exit code of the first step that failed."""
    models.check_words(arguments)
    if arguments.method is not None:
        return models.run(arguments, terminal=terminal)
    refuse: Callable[[str], NoReturn] = arguments.refuse_words
    demanded = demands.of(arguments, now=clock())
    try:
        given = inputs.read(
            arguments.path,
            evidence=arguments.evidence,
            proof=arguments.proof,
            checkpoint=arguments.checkpoint,
            hasher=hasher(frozenset(arguments.ignore), progress),
        )
    except argparse.ArgumentError as error:
        refuse(str(error))
    judged = judge(given, Pins.of_user().all(), demanded, name=str(arguments.path))
    if arguments.json:
        print_json(judged, terminal)
    else:
        print_steps(judged.examination.steps, terminal)
        print_verdict(judged, terminal)
    if judged.failure is not None:
        return judged.failure.exit_code
    for each in (*cautions(judged.examination.verdict()), *_unread(given)):
        progress.columns("! ", each, indent=2, ink=Ink.YELLOW)
    return 0


def _unread(given: Given) -> tuple[str, ...]:
    """That a C2PA manifest is there and was not judged, for want of the library."""
    has_manifest = isinstance(given, OutputGiven) and given.carrier is not None
    return (UNREAD,) if has_manifest and not media.is_readable() else ()


def judge(given: Given, pins: tuple[Pinned, ...], demanded: Demands, *, name: str) -> Judged:
    """Examine under the pinned root that says most; raises NoTrustRoot if none is pinned.

    It is raised too for what fails, and by its own word comes from a registry that is not pinned.

    Roots do not help each other: every step of one examination rests on one root. NotWitnessed or
    RevocationUnknown is raised if under none of them anything is known of the demanded moment.
    """
    if not pins:
        raise NoTrustRoot(
            "no registry is trusted yet, so nothing can verify. To trust one: assay trust add URL"
        )
    judged: list[Judged] = []
    refusals: list[VerificationError] = []
    for pin in pins:
        try:
            requirements = demanded.under(pin, inputs.notes(given))
        except (NotWitnessed, RevocationUnknown) as unknown:
            refusals.append(unknown)
            continue
        basis = Basis(
            trust=pin.root,
            requirements=requirements,
            lists=demanded.lists,
            answers=demanded.answers,
        )
        judged.append(
            Judged(
                name=name,
                pin=pin,
                requirements=requirements,
                is_pack=demanded.is_pack,
                is_past=demanded.is_past,
                examination=_examine(given, basis),
            )
        )
    best = max(judged, key=lambda each: each.passed_steps, default=None)
    if best is not None and best.failure is None:
        return best
    if (stranger := unpinned.refusal(given, pins)) is not None:
        raise stranger
    if best is None:
        raise refusals[0]
    return best


def _examine(given: Given, basis: Basis) -> Examination:
    """`basis` has what the command line brought; beside it lists may lie with what was given."""
    basis = replace(basis, lists=(*basis.lists, *given.lists))
    match given:
        case OutputGiven():
            return examine_output(
                given.evidence,
                basis=basis,
                content=given.content,
                files=given.files,
                answer=given.answer,
                carrier=given.carrier if media.is_readable() else None,
            )
        case BatchedGiven():
            return examine_batched(
                given.evidence,
                given.proof,
                basis=basis,
                content=given.content,
                files=given.files,
            )
        case CheckpointGiven():
            return examine_checkpoint(
                given.evidence,
                basis=basis,
                files=given.files,
                signature=given.signature,
                tensors=given.tensors,
            )
        case EvaluationGiven():
            return examine_evaluation(given.evidence, basis=basis, files=given.files)
        case ModelGiven():
            return examine_model(given.bundle, basis=basis, files=given.files)
        case BundleGiven():
            return examine_bundle(given.bundle, basis=basis, purpose=given.purpose)

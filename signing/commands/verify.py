# SPDX-License-Identifier: Apache-2.0
"""`assay verify`: check a checkpoint or an output offline, step by step, against what you pinned.

assay verify FOLDER [--evidence FILE]
assay verify ANSWER.json [--checkpoint FOLDER]
assay verify TEXT --evidence FILE
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ..errors import NoTrustRoot
from ..trust import Pinned
from ..verify import Examination, examine_checkpoint, examine_model, examine_output
from . import inputs
from .hashing import hasher
from .inputs import CheckpointGiven, Given, ModelGiven, OutputGiven
from .pins import Pins
from .terminal import Terminal
from .verdict import Judged, print_json, print_steps, print_verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay verify`."""
    parser.set_defaults(refuse_words=parser.error)
    add = parser.add_argument
    add("path", type=Path, metavar="PATH", help="a checkpoint's folder, or an output")
    add("--evidence", type=Path, metavar="FILE", help="the evidence, if it is not where PATH is")
    add(
        "--checkpoint",
        type=Path,
        metavar="FOLDER",
        help="for an output: compare the checkpoint's files too",
    )
    add(
        "--ignore",
        action="append",
        default=[],
        metavar="NAME",
        help="a file or folder that is not part of the checkpoint; may be repeated",
    )
    add("--json", action="store_true", help="for programs: one JSON document")


def run(arguments: argparse.Namespace, *, terminal: Terminal, progress: Terminal) -> int:
    """Verify and say so; 0, or the exit code of the first step that failed."""
    refuse: Callable[[str], NoReturn] = arguments.refuse_words
    try:
        given = inputs.read(
            arguments.path,
            evidence=arguments.evidence,
            checkpoint=arguments.checkpoint,
            hasher=hasher(frozenset(arguments.ignore), progress),
        )
    except argparse.ArgumentError as error:
        refuse(str(error))
    judged = judge(given, Pins.of_user().all(), name=str(arguments.path))
    if arguments.json:
        print_json(judged, terminal)
    else:
        print_steps(judged.examination.steps, terminal)
        print_verdict(judged, terminal)
    return 0 if judged.failure is None else judged.failure.exit_code


def judge(given: Given, pins: tuple[Pinned, ...], *, name: str) -> Judged:
    """Examine under the pinned root that says most; raises NoTrustRoot if none is pinned.

    Roots do not help each other: every step of one examination rests on one root.
    """
    if not pins:
        raise NoTrustRoot(
            "no registry is trusted yet, so nothing can verify. To trust one: assay trust add URL"
        )
    judged = [Judged(name=name, pin=pin, examination=_examine(given, pin)) for pin in pins]
    return max(judged, key=lambda each: each.passed_steps)


def _examine(given: Given, pin: Pinned) -> Examination:
    match given:
        case OutputGiven():
            return examine_output(
                given.evidence,
                trust=pin.root,
                content=given.content,
                files=given.files,
                answer=given.answer,
            )
        case CheckpointGiven():
            return examine_checkpoint(
                given.evidence, trust=pin.root, files=given.files, signature=given.signature
            )
        case ModelGiven():
            return examine_model(given.bundle, trust=pin.root, files=given.files)

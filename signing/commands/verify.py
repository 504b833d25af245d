# SPDX-License-Identifier: Apache-2.0
"""`assay verify`: check checkpoints and outputs offline, step by step, against what you pinned.

assay verify FOLDER [--evidence FILE]
assay verify ANSWER.json… [--checkpoint FOLDER] [--base EVIDENCE.json]… [--pack OUT]
assay verify ANSWER.json --acceptance ACCEPTANCE.json
assay verify EVALUATION.json [--checkpoint FOLDER]
assay verify FILE [--evidence FILE]
assay verify EXCERPT.txt --evidence FILE --excerpt
assay verify FILE --evidence BATCH.json --proof FILE.tlog-proof
assay verify BUNDLE.json
assay verify PACK [--fingerprint sha256:…] [--policy sha256:…]
assay verify FILE… --evidence PACK
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

from cryptography.hazmat.primitives.serialization import Encoding

from ..errors import AssayError
from ..paths import parse_pem
from . import demands, many, methods, packs
from .demands import Demands
from .each import Result, refuse, results
from .errors import InputUnreadable
from .hashing import hasher
from .pins import Pins
from .said import Said, count, exit_code, form_of, say, together
from .terminal import Ink, Terminal
from .verdict import Judged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay verify`."""
    parser.set_defaults(refuse_words=parser.error)
    add = parser.add_argument
    add(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="a checkpoint's folder, an output, an evaluation or an evidence pack; or several",
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
    anchors = "believe C2PA manifests by these certificates, too (PEM); then it has to be by one"
    add("--c2pa-anchors", type=Path, metavar="FILE", help=anchors)
    part = "take lines that follow each other in the text that was signed for it, and say which"
    add("--excerpt", action="store_true", help=part)
    _add_walk(parser)
    _add_packs(parser)
    add(
        "--ignore",
        action="append",
        default=[],
        metavar="NAME",
        help="a file or folder that is not part of the checkpoint; may be repeated",
    )
    demands.add_arguments(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="for programs: one JSON document")
    brief = "a line for each that is verified, and the steps that failed of the others"
    forms.add_argument("--brief", action="store_true", help=brief)
    methods.add_verifying(parser)


def _add_walk(parser: argparse.ArgumentParser) -> None:
    """What else is at hand, for a walk to come to."""
    add = parser.add_argument
    add(
        "--base",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="evidence of a checkpoint that a run continued from, to walk on to; may be repeated",
    )
    shown = "evidence of an acceptance, by somebody who signed this; may be repeated"
    add("--acceptance", type=Path, action="append", default=[], metavar="FILE", help=shown)


def _add_packs(parser: argparse.ArgumentParser) -> None:
    """What is said of evidence packs."""
    add = parser.add_argument
    add(
        "--pack",
        type=Path,
        metavar="OUT",
        help="write all that was used to verify into one file, which verifies anywhere",
    )
    add(
        "--fingerprint",
        metavar="sha256:…",
        help="with an evidence pack: trust the root in it this once, if it is that one",
    )


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    progress: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Verify and say so; 0, or the exit code of the first step that failed.

    Of several, the code of the first that did not verify; what cannot even be read comes after.
    """
    methods.check_words(arguments)
    if arguments.method is not None:
        from . import models  # noqa: PLC0415 - what Sigstore takes, for those who ask for it

        return models.run(arguments, terminal=terminal)
    _check_words(arguments)
    now = clock()
    demanded = replace(
        demands.of(arguments, now=now),
        bases=packs.bases(arguments.base),
        acceptances=packs.acceptances(arguments.acceptance),
        anchors=_anchors(arguments.c2pa_anchors),
        accepts_excerpt=arguments.excerpt,
    )
    pins = Pins.of_user().all() if arguments.fingerprint is None else ()
    if many.is_worth_it(arguments):
        task = many.task(arguments, demanded, pins, terminal, now=now)
        found = list(many.said(task, arguments.paths))
        _print(found, arguments, terminal, progress)
        return exit_code(found)
    reader = hasher(frozenset(arguments.ignore), progress)
    judged = list(results(arguments, demanded, pins, reader=reader, now=now))
    if len(judged) == 1 and isinstance(judged[0].outcome, AssayError):
        raise judged[0].outcome
    is_several = len(judged) > 1
    form = form_of(arguments)
    found = [say(each, terminal, form=form, is_one_of_several=is_several) for each in judged]
    _print(found, arguments, terminal, progress)
    if arguments.pack is not None:
        _pack(judged, arguments.pack, demanded, progress)
    return exit_code(found)


def _anchors(path: Path | None) -> bytes:
    """The certificates in a file, and nothing else of it."""
    if path is None:
        return b""
    try:
        found = parse_pem(path.name, path.read_bytes())
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    return b"".join(each.public_bytes(Encoding.PEM) for each in found)


def _check_words(arguments: argparse.Namespace) -> None:
    """Refuse words that do not go together."""
    if len(arguments.paths) > 1:
        for word in ("proof", "checkpoint"):
            if getattr(arguments, word) is not None:
                refuse(arguments, f"--{word} goes with one PATH")


def _print(
    found: list[Said], arguments: argparse.Namespace, terminal: Terminal, progress: Terminal
) -> None:
    """What is said of each, or one document of all."""
    if not arguments.json:
        for each in found:
            terminal.text(each.text)
        if arguments.brief:
            terminal.line(count(found))
    else:
        terminal.line(found[0].text if len(found) == 1 else together(found))
    for each in found:
        for said in each.cautions:
            progress.columns("! ", said, indent=2, ink=Ink.YELLOW)


def _pack(found: list[Result], path: Path, demanded: Demands, progress: Terminal) -> None:
    """Write what was verified, or say that nothing was written."""
    verified = [
        (each.given, each.outcome)
        for each in found
        if isinstance(each.outcome, Judged) and each.failure is None and each.given is not None
    ]
    if len(verified) < len(found):
        progress.columns(
            "! ", "No evidence pack was written: not all of it verified.", indent=2, ink=Ink.YELLOW
        )
        return
    pack = packs.made(verified, demanded)
    packs.write(path, pack)
    packs.print_written(pack, path, progress)

# SPDX-License-Identifier: Apache-2.0
"""`assay verify`: check checkpoints and outputs offline, step by step, against what you pinned.

assay verify FOLDER [--evidence FILE]
assay verify ANSWER.json… [--checkpoint FOLDER] [--base EVIDENCE.json]… [--pack OUT]
assay verify EVALUATION.json [--checkpoint FOLDER]
assay verify FILE [--evidence FILE]
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
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.serialization import Encoding

from .. import media
from ..digests import as_id, parse_id
from ..errors import AssayError, VerificationError
from ..paths import parse_pem
from ..trust import Pinned
from . import demands, inputs, methods, packs
from .demands import Demands
from .errors import FingerprintMismatch, InputUnreadable
from .given import Given, OutputGiven, pack_of
from .hashing import hasher
from .judging import judge
from .pinned import NAMED
from .pins import Pins
from .programs import verdict_json
from .steps import print_steps
from .terminal import Ink, Terminal, safe
from .verdict import Judged, cautions, print_verdict

UNREAD = (
    "The file carries a C2PA manifest, which was not read. What verified is its bytes and their "
    f"evidence; to have the manifest judged too: {media.INSTALL}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one artifact: judged, or why it could not be."""

    name: str
    """The path on the command line."""
    given: Given | None
    judged: Judged | None
    error: AssayError | None

    @property
    def failure(self) -> AssayError | None:
        """Why it is not verified."""
        return self.error if self.judged is None else self.judged.failure


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
    add(
        "--base",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="evidence of a checkpoint that a run continued from, to walk on to; may be repeated",
    )
    anchors = "believe C2PA manifests by these certificates, too (PEM); then it has to be by one"
    add("--c2pa-anchors", type=Path, metavar="FILE", help=anchors)
    _add_packs(parser)
    add(
        "--ignore",
        action="append",
        default=[],
        metavar="NAME",
        help="a file or folder that is not part of the checkpoint; may be repeated",
    )
    demands.add_arguments(parser)
    add("--json", action="store_true", help="for programs: one JSON document")
    methods.add_verifying(parser)


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
        anchors=_anchors(arguments.c2pa_anchors),
    )
    results = list(_results(arguments, demanded, progress, now=now))
    if len(results) == 1 and results[0].error is not None:
        raise results[0].error
    if arguments.json:
        terminal.line(json.dumps(_for_programs(results), indent=2))
    else:
        for each in results:
            _print(each, terminal, is_one_of_several=len(results) > 1)
    for said in _cautions(results):
        progress.columns("! ", said, indent=2, ink=Ink.YELLOW)
    if arguments.pack is not None:
        _pack(results, arguments.pack, demanded, progress)
    return _exit_code(results)


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
                _refuse(arguments, f"--{word} goes with one PATH")


def _refuse(arguments: argparse.Namespace, why: str) -> NoReturn:
    """End as for any mistake in the command line."""
    refuse: Callable[[str], NoReturn] = arguments.refuse_words
    refuse(why)


def _results(
    arguments: argparse.Namespace, demanded: Demands, progress: Terminal, *, now: datetime
) -> Iterator[Result]:
    """Each artifact judged by itself: what is wrong with one says nothing of the others."""
    pins = Pins.of_user().all() if arguments.fingerprint is None else ()
    reader = hasher(frozenset(arguments.ignore), progress)
    for path in arguments.paths:
        name = str(path)
        try:
            found = inputs.read(
                path,
                evidence=arguments.evidence,
                proof=arguments.proof,
                checkpoint=arguments.checkpoint,
                hasher=reader,
            )
        except argparse.ArgumentError as error:
            _refuse(arguments, str(error))
        except AssayError as error:
            yield Result(name=name, given=None, judged=None, error=error)
            continue
        for given in found:
            try:
                pack = pack_of(given)
                trusted = pins or _named(arguments, given, now=now)
                judged = judge(given, trusted, demanded.of_pack(pack), name=name)
            except AssayError as error:
                yield Result(name=name, given=given, judged=None, error=error)
            else:
                yield Result(name=name, given=given, judged=judged, error=None)


def _named(arguments: argparse.Namespace, given: Given, *, now: datetime) -> tuple[Pinned, ...]:
    """The root in a pack whose fingerprint was named: trusted this once, and kept nowhere."""
    if arguments.fingerprint is None:
        return ()
    pack = pack_of(given)
    if pack is None:
        _refuse(arguments, "--fingerprint goes with an evidence pack, whose root it names")
    expected, found = parse_id(arguments.fingerprint), pack.trust.fingerprint
    if found != expected:
        raise FingerprintMismatch(
            f"--fingerprint: expected {as_id(expected)}, found {as_id(found)} in the pack: "
            "nothing was verified"
        )
    return (Pinned(root=pack.trust, pinned_at=now, pinned_from=NAMED),)


def _print(result: Result, terminal: Terminal, *, is_one_of_several: bool) -> None:
    if is_one_of_several:
        terminal.line(f"  {terminal.paint(Ink.BOLD, safe(result.name))}")
    if result.judged is not None:
        print_steps(result.judged.examination.steps, terminal)
        print_verdict(result.judged, terminal)
    else:
        assert result.error is not None  # noqa: S101 - what was not judged has a reason
        said = f"Not verified. {result.error.code}: {result.error}"
        terminal.columns("", said, indent=2, ink=Ink.RED)
    if is_one_of_several:
        terminal.line()


def _cautions(results: list[Result]) -> Iterator[str]:
    for each in results:
        if each.judged is not None and each.failure is None:
            yield from cautions(each.judged.examination.verdict())
            if _has_unread_manifest(each.given):
                yield UNREAD


def _has_unread_manifest(given: Given | None) -> bool:
    """Whether a C2PA manifest is there and was not judged, for want of the library."""
    has_manifest = isinstance(given, OutputGiven) and given.carrier is not None
    return has_manifest and not media.is_readable()


def _for_programs(results: list[Result]) -> dict[str, object]:
    """The document of the one, or a document of all."""
    if len(results) == 1 and results[0].judged is not None:
        return verdict_json(results[0].judged)
    return {
        "verified": all(each.failure is None for each in results),
        "artifacts": [{"path": each.name, **_document(each)} for each in results],
    }


def _document(result: Result) -> dict[str, object]:
    if result.judged is not None:
        return verdict_json(result.judged)
    assert result.error is not None  # noqa: S101 - what was not judged has a reason
    return {"verified": False, "error": result.error.for_programs()}


def _exit_code(results: list[Result]) -> int:
    """The worst: a step that failed is worse than what could not be read, else the first counts."""
    failures = [each.failure for each in results if each.failure is not None]
    worst = sorted(failures, key=lambda each: not isinstance(each, VerificationError))
    return worst[0].exit_code if worst else 0


def _pack(results: list[Result], path: Path, demanded: Demands, progress: Terminal) -> None:
    """Write what was verified, or say that nothing was written."""
    verified = [(each.given, each.judged) for each in results if each.failure is None]
    if len(verified) < len(results):
        progress.columns(
            "! ", "No evidence pack was written: not all of it verified.", indent=2, ink=Ink.YELLOW
        )
        return
    found = [(given, judged) for given, judged in verified if given is not None and judged]
    pack = packs.made(found, demanded)
    packs.write(path, pack)
    progress.columns("", packs.in_words(pack, path), indent=0)

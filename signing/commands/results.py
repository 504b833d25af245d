# SPDX-License-Identifier: Apache-2.0
"""`assay results`: say how a checkpoint did, in your name, and verify what was signed.

assay results FILE OWNER/PROJECT@NAME [--registry URL]
assay results --withdraw ID --reason mistaken OWNER/PROJECT@NAME

FILE is what lm-evaluation-harness writes (`--output_path`, `--log_samples` for the digests of the
data), or one result in the API's own form. Run again, the same command says nothing twice.
"""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from .. import canonical
from ..client import RegistryClient, address
from ..errors import InvalidDocument, Outcome
from ..statements import Result, Withdrawn
from . import harness, methods
from .callers import secret_demanded
from .handing import Act, Done, HandIn, Office, TakeBack, body
from .harness import Said
from .naming import measured
from .pins import Pins, of_registry, only_registry
from .programs import verdict_json
from .published import Asked
from .steps import print_steps
from .terminal import Ink, Terminal, shortened
from .verdict import cautions, print_verdict, withdrawn

ANSWER_SECONDS = 120.0  # each is signed and logged before it is answered
ALL = ""
ABOUT_FILE = ("by", "data", "harness_version")
LeftOut = tuple[tuple[str, str], ...]
"""Tasks, and why each is not handed in."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay results`."""
    parser.set_defaults(refuse_words=parser.error)
    add = parser.add_argument
    add("file", type=Path, nargs="?", metavar="FILE", help="results, as a harness writes them")
    add("name", metavar="OWNER/PROJECT@NAME", help="the checkpoint that was evaluated")
    add("--registry", metavar="URL", help="where; else the one registry that you trust")
    add("--by", metavar="NAME", help="an organisation in whose name you say it; else your own")
    add(
        "--data",
        action="append",
        default=[],
        metavar="[TASK=]SHA256",
        help="the digest of the data, where FILE has none; may be repeated",
    )
    add("--harness-version", metavar="VERSION", help="where FILE does not say it")
    add("--withdraw", metavar="ID", help="take one back that you said")
    add("--reason", choices=tuple(Withdrawn), help="why it is taken back")
    add("--json", action="store_true", help="for programs: one JSON document")


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Hand in, or take back, and verify; 0, or the code of the first failure. Raises AssayError."""
    asked = Asked.parse(arguments.name)
    if asked.checkpoint is None:
        raise InvalidDocument("name", "OWNER/PROJECT@NAME", ascii(asked.project))
    acts, left_out = _wanted(arguments)
    pins = Pins.of_user().all()
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    trusted = of_registry(pins, url)
    with RegistryClient(url, secret_demanded(url), timeout_seconds=ANSWER_SECONDS) as client:
        office = Office(client=client, asked=asked, trusted=trusted, clock=clock)
        done = tuple(office.carry_out(act) for act in acts)
    if arguments.json:
        terminal.line(json.dumps(_document(done, left_out), indent=2))
    else:
        _print(done, left_out, terminal)
        _conclude(done, terminal, is_pinned=bool(trusted))
    failures = [each.judged.failure for each in done if each.judged and each.judged.failure]
    return failures[0].exit_code if failures else 0


def _wanted(arguments: argparse.Namespace) -> tuple[tuple[Act, ...], LeftOut]:
    """What the command line asks for; raises InputUnreadable, InvalidDocument."""
    is_back = arguments.withdraw is not None
    if is_back != (arguments.file is None) or is_back != (arguments.reason is not None):
        arguments.refuse_words("expected FILE, or --withdraw ID with --reason, and not both")
    if is_back:
        methods.refuse(arguments, ABOUT_FILE, why="goes with FILE")
        reason = Withdrawn(arguments.reason)
        return (TakeBack(evaluation=_id(arguments.withdraw), reason=reason),), ()
    found = harness.read(arguments.file, _said(arguments))
    by = found.by if arguments.by is None else arguments.by
    return tuple(HandIn(result=each, by=by) for each in found.results), found.left_out


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise InvalidDocument("--withdraw", "an evaluation's id", ascii(text[:80])) from error


def _said(arguments: argparse.Namespace) -> Said:
    digests: dict[str, str] = {}
    for each in arguments.data:
        task, equals, digest = each.rpartition("=")
        canonical.sha256_hex({"--data": digest}, "--data")
        digests[task if equals else ALL] = digest
    return Said(digests=digests, version=arguments.harness_version)


def _document(done: tuple[Done, ...], left_out: LeftOut) -> dict[str, object]:
    """Where and in which state it is, says the registry; what is proven is in the verdict alone."""
    return {
        "results": [
            {
                "id": each.answer.id,
                "state": each.answer.state,
                "url": each.answer.url,
                "handed_in": body(each.act),
                "verified": each.verified is not None,
                "verdict": None if each.judged is None else verdict_json(each.judged),
            }
            for each in done
        ],
        "left_out": [{"task": task, "why": why} for task, why in left_out],
    }


def _print(done: tuple[Done, ...], left_out: LeftOut, terminal: Terminal) -> None:
    for each in done:
        if each.judged is not None and each.judged.failure is not None:
            print_steps(each.judged.examination.steps, terminal)
            print_verdict(each.judged, terminal)
        else:
            _print_one(each, terminal)
    for task, why in left_out:
        terminal.columns("- ", f"{task} is left out: {why}", indent=2)


def _print_one(each: Done, terminal: Terminal) -> None:
    """Figures as they were signed; where that is not verified, as they were handed in."""
    mark = terminal.mark(Outcome.NOT_REACHED if each.verified is None else Outcome.PASSED)
    terminal.columns(f"{mark} ", _figures(each), indent=2)
    terminal.columns("", f"{each.answer.state}: {each.answer.url}", indent=4)
    if each.verified is None:
        return
    terminal.columns("", shortened(f"signed by {each.verified.parts[0].signer}"), indent=4)
    if isinstance(each.act, TakeBack):
        terminal.columns("", shortened(withdrawn(each.verified)), indent=4)
    for caution in _cautions(each):
        terminal.columns("", shortened(caution), indent=4, ink=Ink.YELLOW)


def _figures(each: Done) -> str:
    if each.verified is not None and each.verified.evaluation is not None:
        return _in_words(each.verified.evaluation.result)
    match each.act:
        case HandIn(result=result):
            return _in_words(result)
        case TakeBack(evaluation=evaluation):
            return f"evaluation {evaluation}"


def _in_words(result: Result) -> str:
    return "; ".join((result.task, *(measured(metric) for metric in result.metrics)))


def _cautions(each: Done) -> tuple[str, ...]:
    """What whoever asked for this did not ask for."""
    if each.verified is None:
        return ()
    asked_for = withdrawn(each.verified) if isinstance(each.act, TakeBack) else ""
    return tuple(said for said in cautions(each.verified) if said != asked_for)


def _conclude(done: tuple[Done, ...], terminal: Terminal, *, is_pinned: bool) -> None:
    """One sentence about all; of what failed the steps have said it."""
    if any(each.judged is None for each in done):
        terminal.headline("Handed in; not verified here.", Ink.YELLOW)
        hint = "To verify: assay trust add URL, then this command again, which says nothing twice."
        if is_pinned:
            hint = (
                "The registry says that its ledger does not include all of it yet. This command "
                "again verifies it then, and says nothing twice."
            )
        terminal.columns("", hint, indent=2)
    elif any(_cautions(each) for each in done):
        terminal.headline("Signed, in the ledger, and verified; but read on above.", Ink.YELLOW)
    elif all(each.verified is not None for each in done):
        terminal.headline("Signed, in the ledger, and verified.", Ink.GREEN)

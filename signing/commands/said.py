# SPDX-License-Identifier: Apache-2.0
"""What `assay verify` says of each artifact, as text: another process may have judged it."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from .. import media
from ..errors import Outcome, VerificationError
from ..values import dataclass
from .brief import print_briefly, print_found
from .each import Result
from .given import Given, OutputGiven
from .programs import verdict_json
from .steps import print_steps
from .terminal import Ink, Terminal, safe
from .verdict import Judged, cautions, print_verdict

UNREAD = (
    "The file carries a C2PA manifest, which was not read. What verified is its bytes and their "
    f"evidence; to have the manifest judged too: {media.INSTALL}"
)
_INDENT = 2


class Form(StrEnum):
    """How much is said, and for whom."""

    STEPS = "steps"
    BRIEF = "brief"
    """A line for what is verified, and why it is not for what is not."""
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of one artifact."""

    text: str
    """Lines for people, or a document for programs."""
    cautions: tuple[str, ...]
    """What has to be said loudly, wherever the text goes."""
    exit_code: int
    """0 if it is verified."""
    is_by_a_step: bool
    """Whether a step failed, and not what could not even be read."""


def form_of(arguments: argparse.Namespace) -> Form:
    """As the words of a command line want it."""
    if arguments.json:
        return Form.JSON
    return Form.BRIEF if arguments.brief else Form.STEPS


def say(result: Result, terminal: Terminal, *, form: Form, is_one_of_several: bool) -> Said:
    """All that there is to say, for a terminal such as this."""
    match form:
        case Form.JSON:
            document = _document(result)
            named = {"path": result.name, **document} if is_one_of_several else document
            text = json.dumps(named, indent=_INDENT)
        case Form.STEPS:
            text = _in_lines(result, terminal, is_one_of_several=is_one_of_several)
        case Form.BRIEF:
            text = _in_brief(result, terminal)
    failure = result.failure
    return Said(
        text=text,
        cautions=tuple(_cautions(result)),
        exit_code=0 if failure is None else failure.exit_code,
        is_by_a_step=isinstance(failure, VerificationError),
    )


def together(said: Sequence[Said]) -> str:
    """The document of all: theirs, as they would stand in it."""
    inner = ",\n".join(_indented(each.text) for each in said)
    verified = json.dumps(all(each.exit_code == 0 for each in said))
    return f'{{\n  "verified": {verified},\n  "artifacts": [\n{inner}\n  ]\n}}'


def count(said: Sequence[Said]) -> str:
    """How many of them are verified."""
    verified = sum(each.exit_code == 0 for each in said)
    return f"{verified:,} of {len(said):,} verified."


def exit_code(said: Sequence[Said]) -> int:
    """The worst: a step that failed is worse than what could not be read, else the first counts."""
    failed = [each for each in said if each.exit_code]
    worst = sorted(failed, key=lambda each: not each.is_by_a_step)
    return worst[0].exit_code if worst else 0


def _indented(document: str) -> str:
    """Its lines, two levels further in: JSON writes a line feed in a string as two characters."""
    return "\n".join(" " * 2 * _INDENT + line for line in document.split("\n"))


def _in_lines(result: Result, terminal: Terminal, *, is_one_of_several: bool) -> str:
    lines = io.StringIO()
    terminal = replace(terminal, output=lines)
    if is_one_of_several:
        terminal.line(f"  {terminal.paint(Ink.BOLD, safe(result.name))}")
    outcome = result.outcome
    if isinstance(outcome, Judged):
        print_steps(outcome.examination.steps, terminal)
        print_verdict(outcome, terminal)
    else:
        said = f"Not verified. {outcome.code}: {outcome}"
        terminal.columns("", said, indent=2, ink=Ink.RED)
    if is_one_of_several:
        terminal.line()
    return lines.getvalue()


def _in_brief(result: Result, terminal: Terminal) -> str:
    lines = io.StringIO()
    terminal = replace(terminal, output=lines)
    outcome = result.outcome
    if isinstance(outcome, Judged):
        print_briefly(outcome, terminal)
    else:
        found = terminal.paint(Ink.RED, safe(f"{outcome.code}: {outcome}"))
        print_found(Outcome.FAILED, result.name, found, terminal)
    return lines.getvalue()


def _document(result: Result) -> dict[str, object]:
    outcome = result.outcome
    if isinstance(outcome, Judged):
        return verdict_json(outcome)
    return {"verified": False, "error": outcome.for_programs()}


def _cautions(result: Result) -> Iterator[str]:
    outcome = result.outcome
    if isinstance(outcome, Judged) and outcome.failure is None:
        yield from cautions(outcome.examination.verdict())
        if _has_unread_manifest(result.given):
            yield UNREAD


def _has_unread_manifest(given: Given | None) -> bool:
    """Whether a C2PA manifest is there and was not judged, for want of the library."""
    has_manifest = isinstance(given, OutputGiven) and given.carrier is not None
    return has_manifest and not media.is_readable()

# SPDX-License-Identifier: Apache-2.0
"""A verification on a line: whose word it is, and how what is at hand compares; or what failed.

A line is all that many files get, so that it has to tell a claim of the registry's own from that of
a caller, and what was compared from what was not.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Outcome
from ..verify import Match, Verified
from .terminal import Ink, Terminal, safe, shortened
from .verdict import MAX_EXPLAINED, Judged, headline


def print_briefly(judged: Judged, terminal: Terminal) -> None:
    """On a line what is verified, and who signed it; or on one each which steps failed, and how."""
    failures = judged.examination.failures
    for step in failures[:MAX_EXPLAINED]:
        found = f"step {step.number}, {step.title.lower()}: {step.detail}"
        print_found(
            Outcome.FAILED, judged.name, terminal.paint(Ink.RED, shortened(found)), terminal
        )
    if not failures:
        established = judged.examination.verdict()
        said, ink = headline(established)
        found = ", ".join(_said(established))
        if ink is not Ink.GREEN:
            found = f"{terminal.paint(ink, said)} ({found})"
        print_found(Outcome.PASSED, judged.name, found, terminal)


def print_found(outcome: Outcome, name: str, found: str, terminal: Terminal) -> None:
    """A line that programs of lines may read: as long as it is."""
    terminal.line(f"{terminal.mark(outcome)} {safe(name)}: {found}")


def _said(established: Verified) -> Iterator[str]:
    """Of an output whose word it is and how it compares; of all that verifies, who signed it."""
    if established.output is not None:
        yield established.output.claim.value
        if established.match is not Match.EXCERPT:  # of which more is said
            yield established.match.value
    yield f"signed by {safe(established.parts[0].signer)}"

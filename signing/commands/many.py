# SPDX-License-Identifier: Apache-2.0
"""Judge many artifacts on every core: what is said of each comes back in the order of the files.

Keys and certificates stay in their process: what is sent is words and bytes, and what comes back
is text. Where no processes can be had, or one of them is gone, this one judges the rest.
"""

from __future__ import annotations

import argparse
import gc
import io
import signal
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from .. import canonical
from ..hashing import threads
from ..trust import Pinned
from ..values import dataclass
from . import pins
from .demands import Demands
from .each import results
from .hashing import hasher
from .said import Form, Said, form_of, say
from .terminal import Terminal

FROM = 256  # with fewer one process has ended before others have begun
AT_ONCE = 64  # files that a process is given: enough that it remembers what they have in common


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What holds for every file, and how to say what becomes of it."""

    demanded: Demands
    pinned: tuple[bytes, ...]
    evidence: Path | None
    ignored: frozenset[str]
    now: datetime
    form: Form
    has_colour: bool
    has_marks: bool


def is_worth_it(arguments: argparse.Namespace) -> bool:
    """Whether there are many files, and nothing is made of them but what is said."""
    beside = (arguments.pack, arguments.fingerprint)
    is_alone = not arguments.base and not arguments.acceptance and beside == (None, None)
    return len(arguments.paths) >= FROM and is_alone


def task(
    arguments: argparse.Namespace,
    demanded: Demands,
    trusted: Sequence[Pinned],
    terminal: Terminal,
    *,
    now: datetime,
) -> Task:
    """The task that the words of a command line are."""
    return Task(
        demanded=demanded,
        pinned=tuple(canonical.dumps(pin.to_json()) for pin in trusted),
        evidence=arguments.evidence,
        ignored=frozenset(arguments.ignore),
        now=now,
        form=form_of(arguments),
        has_colour=terminal.has_colour,
        has_marks=terminal.has_marks,
    )


def said(of: Task, paths: Sequence[Path]) -> Iterator[Said]:
    """What is said of each, in order."""
    from concurrent import futures  # noqa: PLC0415 - it takes 2 ms, and most verify one file

    chunks = [tuple(paths[at : at + AT_ONCE]) for at in range(0, len(paths), AT_ONCE)]
    done = 0
    try:
        # An interrupt is for this process to answer, which then wants none of the rest.
        quiet = signal.SIGINT, signal.SIG_IGN
        pool = futures.ProcessPoolExecutor(threads(), initializer=signal.signal, initargs=quiet)
        gc.freeze()  # what the processes begin with, none of them looks through for garbage
        try:
            for each in pool.map(_said, [of] * len(chunks), chunks):
                done += 1
                yield from each
        finally:
            gc.unfreeze()
            pool.shutdown(cancel_futures=True)
    except (futures.BrokenExecutor, OSError):
        for chunk in chunks[done:]:
            yield from _said(of, chunk)


def _said(of: Task, paths: tuple[Path, ...]) -> list[Said]:
    arguments = argparse.Namespace(
        paths=paths, evidence=of.evidence, proof=None, checkpoint=None, fingerprint=None
    )
    terminal = Terminal(
        output=io.StringIO(), is_live=False, has_colour=of.has_colour, has_marks=of.has_marks
    )
    found = results(
        arguments,
        of.demanded,
        tuple(pins.parsed(each) for each in of.pinned),
        reader=hasher(of.ignored, terminal),
        now=of.now,
    )
    return [say(each, terminal, form=of.form, is_one_of_several=True) for each in found]

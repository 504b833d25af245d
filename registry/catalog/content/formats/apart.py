# SPDX-License-Identifier: Apache-2.0
"""Checks files in a process apart, which may take so much memory and time and no more.

Whoever reads a hostile header can be made to work; here that ends with the process, and with a
refusal. A process answers one file after another, and waits for more: to start one takes longer
than most headers.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from . import child
from .gate import Accepted, Format
from .refused import Refused
from .tensors import Tensors

ROOT = Path(__file__).parents[4]  # where `registry` is a package
MAX_IDLE = 2  # processes kept, some 20 MB each


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """One that answers, line by line."""

    program: subprocess.Popen[bytes]
    lines: TextIO

    def end(self) -> None:
        """It and the way to it."""
        self.program.kill()
        self.program.wait()
        self.lines.close()


_idle: list[_Process] = []


def check(name: str, path: Path) -> Accepted:
    """What gate.check says; raises Refused too where saying so would take too much."""
    with _process() as process:
        line = _ask(process, json.dumps({"name": name, "path": str(path)}))
    answer = json.loads(line)
    if "expected" in answer:
        raise Refused(answer["expected"], answer["found"])
    found = answer["tensors"]
    return Accepted(
        format=Format(answer["format"]),
        needs_code=answer["needs_code"],
        tensors=Tensors.from_json(found) if found else None,
    )


@contextmanager
def _process() -> Iterator[_Process]:
    """One that waits, or a new one; it waits again afterwards unless something went wrong."""
    try:
        process = _idle.pop()
    except IndexError:
        process = _start()
    is_well = False
    try:
        yield process
        is_well = True
    finally:
        if is_well and len(_idle) < MAX_IDLE:
            _idle.append(process)
        else:
            process.end()


def _start() -> _Process:
    """Nothing of our environment goes along: it knows the way to the database."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = subprocess.Popen(
            (sys.executable, "-E", "-s", "-m", child.__name__),
            cwd=ROOT,
            env={},
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
        )
        return _Process(program=program, lines=ours.makefile("rw", encoding="utf-8"))


def _ask(process: _Process, question: str) -> str:
    """Its answer; raises Refused if it ended over it, for one of its limits."""
    process.lines.write(f"{question}\n")
    process.lines.flush()
    answer = process.lines.readline()
    if answer:
        return answer
    ended = process.program.wait()
    if ended not in {child.OUT_OF_MEMORY, -signal.SIGXCPU}:
        raise RuntimeError(f"expected an answer of the process apart, found its end: {ended}")
    raise Refused(
        f"a file that is read within {child.CPU_SECONDS} s and {child.MEMORY_BYTES >> 20} MiB",
        "one that takes more",
    )


def end_all() -> None:
    """Those that wait."""
    while _idle:
        _idle.pop().end()


atexit.register(end_all)
os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's

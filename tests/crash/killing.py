# SPDX-License-Identifier: Apache-2.0
"""Runs a step of publishing in a process of its own and kills it at its n-th system call."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.needing import forbidden
from tests.running import _test_database_url

CALLS = ("sendto", "write", "fsync", "rename", "mkdir", "unlink")
PROGRAM = Path(__file__).with_name("forks.py")
CHECKOUT = PROGRAM.parents[2]
ATTACHED = re.compile(r"Process \d+ attached")
CALL = re.compile(r"^(?:\[pid +\d+\] )?(\w+)\(", re.MULTILINE)


class Forks:
    """The program that forks, and the strace beside each fork."""

    def __init__(self, folder: Path) -> None:
        self._errors = (folder / "forks.log").open("w+b")
        self._trace = folder / "trace"
        self._popen = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            cwd=CHECKOUT,
            env={**os.environ, "DATABASE_URL": _test_database_url(), "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def count(self, order: str) -> Counter[str]:
        """Carry an order out, undisturbed, and count its system calls of each kind."""
        status = self._carry_out(order, "-e", f"trace={','.join(CALLS)}", "-o", str(self._trace))
        assert status == 0, self.said()
        return Counter(CALL.findall(self._trace.read_text()))

    def kill_at(self, order: str, call: str, number: int) -> bool:
        """Carry an order out and kill it at its n-th call of a kind; whether it came so far."""
        kill = f"inject={call}:signal=KILL:when={number}"
        status = self._carry_out(order, "-e", f"trace={call}", "-e", kill)
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

    def fail_at(self, order: str, call: str, error: str) -> bool:
        """Carry an order out with each call of a kind failing; whether it ended with an error."""
        fail = f"inject={call}:error={error}:when=1+"
        return self._carry_out(order, "-e", f"trace={call}", "-e", fail) != 0

    def fail_once(self, order: str, call: str, number: int, error: str) -> None:
        """Carry an order out with its n-th call of a kind failing; it may go on all the same."""
        fail = f"inject={call}:error={error}:when={number}"
        self._carry_out(order, "-e", f"trace={call}", "-e", fail)

    def said(self) -> str:
        """What the forks wrote to their standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def close(self) -> None:
        """Ends the program."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.close()
        self._popen.wait(30)
        self._popen.stdout.close()
        self._errors.close()

    def _carry_out(self, order: str, *trace: str) -> int:
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.write(f"{order}\n")
        self._popen.stdin.flush()
        child = int(self._popen.stdout.readline())
        with _traced(child, *trace):
            os.kill(child, signal.SIGUSR1)
            return int(self._popen.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _traced(pid: int, *options: str) -> Iterator[None]:
    program = shutil.which("strace") or "strace"
    strace = subprocess.Popen(
        [program, "-p", str(pid), *options], stderr=subprocess.PIPE, text=True
    )
    assert strace.stderr is not None
    line = strace.stderr.readline()
    if not ATTACHED.search(line):
        os.kill(pid, signal.SIGKILL)
        strace.wait()
        strace.stderr.close()
        forbidden(f"strace may not trace here: {line.strip()}")
    try:
        yield
    finally:
        strace.communicate(timeout=30)

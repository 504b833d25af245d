# SPDX-License-Identifier: Apache-2.0
"""The real signer, forked by a process that has imported it already.

A test that grew the ledger leaves a signer that nobody else can use. Started anew, the next one
would spend most of its time on imports; that it starts from a command line, too, is shown where its
process is tested (tests/signing/signer) and in the story.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence

from assay.signing.signer.__main__ import main
from registry.supervisor.processes import STOP_SECONDS, Process, Program

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.forking"])
WORDS_BEFORE_OPTIONS = 3  # python -m assay.signing.signer


class ForkedSigner(Process):
    """A running signer, to be used like any other program of the supervisor's."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.started_at = time.monotonic()
        self._was_asked = False
        options = (*program.arguments[WORDS_BEFORE_OPTIONS:], "--die-with-parent")
        self._child = _FORKS.Process(target=_run, args=(options, str(program.log)))
        self._child.start()

    @property
    def pid(self) -> int:
        """The process id, which is also its session's and its group's."""
        return self._child.pid or 0

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.exitcode

    def wait(self, *, seconds: float) -> int:
        """Waits for its end; raises ProgramFailed when that takes too long."""
        self._child.join(seconds)
        if self._child.exitcode is None:
            self.stop()
            raise self.failed(f"an end within {seconds:.0f} s")
        return self._child.exitcode

    def ask_to_stop(self) -> None:
        """Sends the signer its stop signal, once."""
        if not self._was_asked:
            self._was_asked = True
            self._child.terminate()

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Asks, waits, then kills."""
        self.ask_to_stop()
        self._child.join(seconds)
        self._child.kill()
        self._child.join()


def _run(options: Sequence[str], log: str) -> None:
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(descriptor, stream.fileno())
    sys.exit(main(options))

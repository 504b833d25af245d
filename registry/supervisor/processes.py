# SPDX-License-Identifier: Apache-2.0
"""One child process: started in a session of its own, tied to our life, stopped in order.

Started from the main thread only: the kernel sends the death signal when the *thread* that
forked ends (prctl(2), PR_SET_PDEATHSIG).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import ProgramFailed

TETHER = Path(__file__).with_name("tether.py")
STOP_SECONDS = 8.0
POLL_SECONDS = 0.02
LOG_TAIL_BYTES = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command line, and all that it needs to run."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    folder: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals | None = None  # when we die; the stop signal if not said
    user: tuple[int, int] | None = None  # (uid, gid) to become; only root can
    inherited: tuple[int, ...] = ()  # file descriptors

    def tethered(self) -> list[str]:
        """The command line that starts the program bound to this process's life."""
        ids = "-" if self.user is None else f"{self.user[0]}:{self.user[1]}"
        launcher = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid())]
        death_signal = int(self.death_signal or self.stop_signal)
        return [*launcher, str(death_signal), ids, "--", *self.arguments]


class Process:
    """A running program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.started_at = time.monotonic()
        self._was_asked = False
        with program.log.open("ab") as log:
            self._popen = subprocess.Popen(
                program.tethered(),
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone
                pass_fds=program.inherited,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also its session's and its group's."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def wait(self, *, seconds: float) -> int:
        """Waits for its end; raises ProgramFailed when that takes too long."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            message = f"{self.program.name} did not end within {seconds:.0f} s"
            raise ProgramFailed(message) from None

    def ask_to_stop(self) -> None:
        """Sends the program its stop signal, once: a second one makes many programs hurry."""
        if not self._was_asked and self._popen.poll() is None:
            self._was_asked = True
            self._popen.send_signal(self.program.stop_signal)

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Asks, waits, then kills; whatever is left of its group goes with it."""
        self.ask_to_stop()
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        try:
            os.killpg(self._popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def log_tail(self) -> str:
        """The end of its log, for an error message."""
        with self.program.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - LOG_TAIL_BYTES))
            return log.read().decode(errors="replace").strip()

    def failed(self, expectation: str) -> ProgramFailed:
        """The error that says what was expected of it and what its log says."""
        state = "still runs" if self.exit_code is None else f"ended with {self.exit_code}"
        name = self.program.name
        return ProgramFailed(
            f"{name} {state}; expected {expectation}.\n"
            f"The end of {self.program.log}:\n{self.log_tail()}"
        )


def run_to_end(program: Program, *, seconds: float) -> None:
    """Runs a program that must end with 0."""
    process = Process(program)
    if process.wait(seconds=seconds) != 0:
        raise process.failed("exit code 0")

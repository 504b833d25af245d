# SPDX-License-Identifier: Apache-2.0
"""The running programs: started in order, restarted when they crash, stopped in reverse."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from .processes import STOP_SECONDS, Process
from .terminal import Terminal

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_SECONDS = 60.0  # after so long, a crash counts as the first again


@dataclass(slots=True, kw_only=True)
class Child:
    """A program that must run: how it is started, and how that went so far."""

    start: Callable[[], Process]
    process: Process
    pause_seconds: float
    restart_at: float | None = None


class System:
    """Owns every child; leaving the block stops them all."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._children: list[Child] = []

    @property
    def children(self) -> tuple[Child, ...]:
        """What must run."""
        return tuple(self._children)

    def start(self, start: Callable[[], Process]) -> Process:
        """Starts a program and keeps it running from now on."""
        process = start()
        self._children.append(
            Child(start=start, process=process, pause_seconds=FIRST_PAUSE_SECONDS)
        )
        return process

    def watch(self) -> None:
        """One look at every child: restarts what ended, after a pause that grows."""
        now = time.monotonic()
        for child in self._children:
            if child.restart_at is not None:
                if now >= child.restart_at:
                    child.restart_at = None
                    child.process = child.start()
            elif child.process.exit_code is not None:
                self._plan_restart(child, now)

    def _plan_restart(self, child: Child, now: float) -> None:
        child.process.stop()  # what it may have left of its group
        if now - child.process.started_at > HEALTHY_SECONDS:
            child.pause_seconds = FIRST_PAUSE_SECONDS
        child.restart_at = now + child.pause_seconds
        program = child.process.program
        self._terminal.warn(
            f"{program.name} ended with {child.process.exit_code}; "
            f"again in {child.pause_seconds:.0f} s ({program.log})"
        )
        child.pause_seconds = min(child.pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def stop(self, *names: str) -> None:
        """Stops the named programs together; they are not restarted."""
        chosen = [child for child in self._children if child.process.program.name in names]
        self._children = [child for child in self._children if child not in chosen]
        for child in chosen:
            child.process.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in chosen:
            child.process.stop(seconds=max(0.1, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """First those that use the others: trainers, web and workers; then what they stand on."""
        self.stop("node", "generate")
        self.stop("web", "beat", "worker", "slow-worker")
        self.stop("signer")
        while self._children:
            self._children.pop().process.stop(seconds=2 * STOP_SECONDS)

# SPDX-License-Identifier: Apache-2.0
"""A web server and a worker under the supervisor, which starts again what a test kills."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import pytest

from registry.supervisor import programs, waiting
from registry.supervisor import system as system_module
from registry.supervisor.processes import Process, Program
from registry.supervisor.system import System
from registry.supervisor.terminal import Terminal
from tests.crash.supervised import descendants
from tests.running import _deployment, _test_database_url, _until_idle, free_port
from tests.until import until


@dataclass(slots=True, kw_only=True)
class Kept:
    """A web server and a worker that the supervisor keeps running."""

    url: str
    system: System

    @property
    def web(self) -> Process:
        """The one that runs now."""
        return self.system.children[0].process

    def while_it_watches(self, is_so: Callable[[], bool]) -> None:
        """Waits for it as the supervisor does."""

        def look() -> bool:
            self.system.watch()
            return is_so()

        until(look)

    def kill(self, *, is_parent: bool) -> None:
        """Granian's own process, or those that it started to answer; then it is up again."""
        killed = self.web
        for victim in {killed.pid} if is_parent else descendants(killed.pid):
            os.kill(victim, signal.SIGKILL)
        self.while_it_watches(lambda: self.web is not killed)
        self.while_it_watches(waiting.is_healthy(self.url))


@contextmanager
def keeping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """Both, until the block ends; then nothing is at work any more."""
    monkeypatch.setattr(system_module, "FIRST_PAUSE_SECONDS", 0.05)
    deployment = _deployment(free_port())
    with System(Terminal()) as system:
        system.start(partial(_started, programs.web(deployment)))
        system.start(partial(_started, programs.worker(deployment)))
        found = Kept(url=programs.local_url(deployment), system=system)
        found.while_it_watches(waiting.is_healthy(found.url))
        yield found
    _until_idle()


def _started(program: Program) -> Process:
    environment = {**program.environment, "DATABASE_URL": _test_database_url()}
    return Process(replace(program, environment=environment))

# SPDX-License-Identifier: Apache-2.0
"""The running programs are restarted with growing pauses, and all stopped at the end."""

from functools import partial
from pathlib import Path

import pytest

from registry.supervisor import system as system_module
from registry.supervisor.processes import Process
from registry.supervisor.system import System
from registry.supervisor.terminal import Terminal

from .worlds import eventually, is_running, python

SLEEP = "import time; time.sleep(60)"


def watched(system: System) -> bool:
    system.watch()
    return True


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_module, "FIRST_PAUSE_SECONDS", 0.05)


def test_a_program_that_crashes_is_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[Process] = []

    def start() -> Process:
        started.append(Process(python(tmp_path, "raise SystemExit(7)" if not started else SLEEP)))
        return started[-1]

    with System(Terminal()) as system:
        system.start(start)
        assert eventually(lambda: watched(system) and len(started) == 2)
        assert "program ended with 7; again in" in capsys.readouterr().out
        assert started[1].exit_code is None
    assert not is_running(started[1].pid)


def test_the_pause_grows_with_each_crash(tmp_path: Path) -> None:
    with System(Terminal()) as system:
        system.start(lambda: Process(python(tmp_path, "pass")))
        (child,) = system.children
        pauses = []
        for _crash in range(3):
            assert eventually(lambda: watched(system) and child.restart_at is not None)
            pauses.append(child.pause_seconds)
            assert eventually(lambda: watched(system) and child.restart_at is None)
    assert pauses == [pauses[0], pauses[0] * 2, pauses[0] * 4]


def test_a_program_that_is_stopped_is_not_started_again(tmp_path: Path) -> None:
    with System(Terminal()) as system:
        process = system.start(lambda: Process(python(tmp_path, SLEEP, name="web")))
        system.stop("web")
        system.watch()
        assert system.children == ()
    assert not is_running(process.pid)


def test_all_are_stopped_when_something_goes_wrong(tmp_path: Path) -> None:
    processes: list[Process] = []

    def start_and_fail() -> None:
        with System(Terminal()) as system:
            for name in ("postgres", "signer", "web"):
                program = python(tmp_path, SLEEP, name=name)
                processes.append(system.start(partial(Process, program)))
            raise KeyError

    with pytest.raises(KeyError):
        start_and_fail()
    assert len(processes) == 3
    assert not any(is_running(process.pid) for process in processes)

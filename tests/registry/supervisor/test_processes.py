# SPDX-License-Identifier: Apache-2.0
"""A child process is stopped, killed when it must be, and never outlives its parent."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from registry.supervisor.errors import ProgramFailed
from registry.supervisor.processes import Process, run_to_end

from .worlds import eventually, is_running, python, written

SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True)\n"
    "time.sleep(60)\n"
)
WITH_A_CHILD = (
    "import subprocess, sys, time\n"
    f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)\n"
)
PARENT = """
import sys
from pathlib import Path
from registry.supervisor.processes import Process, Program
log = Path(sys.argv[1])
program = Program(name="child", arguments=(sys.executable, "-c", {sleep!r}), log=log)
print(Process(program).pid, flush=True)
import time; time.sleep(60)
"""


def test_a_program_that_is_asked_to_stop_stops(tmp_path: Path) -> None:
    process = Process(python(tmp_path, SLEEP))
    assert is_running(process.pid)
    process.stop()
    assert process.exit_code == -signal.SIGTERM
    process.stop()  # again changes nothing


def test_a_program_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    process = Process(python(tmp_path, STUBBORN))
    written(tmp_path / "program.log")
    process.stop(seconds=0.2)
    assert process.exit_code == -signal.SIGKILL


def test_what_a_program_started_goes_with_it(tmp_path: Path) -> None:
    process = Process(python(tmp_path, WITH_A_CHILD))
    grandchild = int(written(tmp_path / "program.log"))
    process.stop()
    assert eventually(lambda: not is_running(grandchild))


def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    source = PARENT.format(sleep=SLEEP)
    command = [sys.executable, "-c", source, str(tmp_path / "child.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
    assert eventually(lambda: not is_running(child))


def test_a_program_that_fails_says_what_its_log_says(tmp_path: Path) -> None:
    failing = python(tmp_path, "print('no room left'); raise SystemExit(3)", name="mill")
    with pytest.raises(ProgramFailed, match="mill ended with 3") as raised:
        run_to_end(failing, seconds=20)
    assert "no room left" in str(raised.value)
    assert raised.value.code == "program-failed"


def test_a_program_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="did not end within 0 s"):
        run_to_end(python(tmp_path, SLEEP), seconds=0.1)


def test_a_program_that_works_says_nothing(tmp_path: Path) -> None:
    run_to_end(python(tmp_path, "pass"), seconds=20)

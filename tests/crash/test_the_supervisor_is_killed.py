# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of `manage.py up` leaves no process behind, and the next start finds its data."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240.0
GONE_SECONDS = 120.0
REPLACED = ("DATABASE_URL", "BROKER_URL")


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A registry of its own: nothing of this test run's servers and names."""
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ASSAY_") and name not in REPLACED
    }
    yield kept | {"ASSAY_DATA_DIR": str(folder / "data"), "ASSAY_PORT": str(free_port())}
    shutil.rmtree(folder)


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    lines: list[str] = []
    while not any(line.startswith("READY") for line in lines):
        lines.append(process.stdout.readline())
        assert lines[-1], "".join(lines)
        assert time.monotonic() < deadline, "".join(lines)
    return process


def descendants(pid: int) -> set[int]:
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            parents[int(path.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def running(pids: set[int]) -> set[str]:
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state[0] != "Z":
            found.add(f"{pid} {command}")
    return found


def gone(pids: set[int]) -> set[str]:
    """What is left of the processes when time is up; empty when they went."""
    deadline = time.monotonic() + GONE_SECONDS
    while (left := running(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)  # another process: nothing wakes us
    return left


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_nothing_is_left_behind(environment: dict[str, str]) -> None:
    first = start(environment)
    children = descendants(first.pid)
    assert len(children) >= 7  # postgres, valkey, signer, web, worker, node, generation program
    first.kill()
    first.communicate()
    assert gone(children) == set()

    second = start(environment)  # with what the first one left
    children = descendants(second.pid)
    second.send_signal(signal.SIGTERM)
    output, _ = second.communicate(timeout=GONE_SECONDS)
    assert output.endswith("Stopped.\n")
    assert second.returncode == 0
    assert gone(children) == set()

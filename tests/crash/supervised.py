# SPDX-License-Identifier: Apache-2.0
"""`manage.py up` in a process of its own, and all that it started."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240.0
GONE_SECONDS = 120.0


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    """Once it says that it is ready."""
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
    """All that a process started, and what that started."""
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


def running(pids: set[int]) -> dict[int, str]:
    """The command lines of those that have not ended."""
    found: dict[int, str] = {}
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state[0] != "Z":
            found[pid] = command
    return found


def gone(pids: set[int]) -> dict[int, str]:
    """What is left of the processes when time is up; empty when they went."""
    deadline = time.monotonic() + GONE_SECONDS
    while (left := running(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)  # they are not our children: the kernel tells others of their end
    return left

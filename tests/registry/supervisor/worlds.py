# SPDX-License-Identifier: Apache-2.0
"""Short builders for the supervisor's tests: small programs, and servers in a folder."""

import sys
import time
from pathlib import Path

from registry.supervisor.places import Places
from registry.supervisor.postgres import Postgres
from registry.supervisor.processes import Program

LONGEST_WAIT_SECONDS = 120.0


def python(tmp_path: Path, source: str, *, name: str = "program") -> Program:
    return Program(
        name=name, arguments=(sys.executable, "-c", source), log=tmp_path / f"{name}.log"
    )


def postgres(places: Places) -> Postgres:
    return Postgres(
        data=places.postgres,
        socket_folder=places.sockets / "postgres",
        log=places.logs / "postgres.log",
        is_durable=False,
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(claim: object) -> bool:
    """Whether a claim comes true in time."""
    assert callable(claim)
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)  # another process: nothing wakes us
    return True


def written(path: Path) -> str:
    """The whole line that a program writes into a file."""
    eventually(lambda: path.exists() and path.read_text(encoding="utf-8").endswith("\n"))
    return path.read_text(encoding="utf-8").strip()

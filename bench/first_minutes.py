# SPDX-License-Identifier: Apache-2.0
"""Measures the first minutes: from a bare copy of the checkout to checkpoints, and a second start.

`./run bench first-minutes [SECONDS]` watches the training for so long after READY (150 by default).
The goals: READY within 60 s, the first checkpoint about 60 s later, a validation loss of 1.6 nats
per byte about 120 s after READY, and a second start within 8 s.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".venv-clients", ".data", "node_modules", "built", ".*_cache", "__pycache__"
)
CHECKPOINTS = "/api/v1/projects/commons/stdlib-gpt/checkpoints"
LONGEST_START_SECONDS = 600.0
LOOK_SECONDS = 0.5


def main() -> None:
    """Two starts in a folder of their own, and what happens in the first minutes."""
    watch_seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 150.0
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
        home = Path(folder) / "home"
        home.mkdir()
        port = free_port()
        environment = os.environ | {"HOME": str(home), "ASSAY_PORT": str(port)}
        with started(copy, environment) as seconds:
            line("from nothing to READY", seconds)
            watch(f"http://localhost:{port}", watch_seconds)
        with started(copy, environment) as seconds:
            line("second start to READY", seconds)


@contextmanager
def started(copy: Path, environment: dict[str, str]) -> Iterator[float]:
    """A registry that runs; the seconds until it said READY."""
    log = copy.with_name("up.log")
    began = time.monotonic()
    with log.open("wb") as output:
        command = [sys.executable, str(copy / "run"), "up"]
        process = subprocess.Popen(command, cwd=copy, env=environment, stdout=output, stderr=output)
    try:
        while "READY" not in log.read_text(encoding="utf-8", errors="replace"):
            if process.poll() is not None or time.monotonic() - began > LONGEST_START_SECONDS:
                sys.exit(f"it did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        yield time.monotonic() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def watch(url: str, seconds: float) -> None:
    """Prints each checkpoint as it is published, with its validation loss."""
    began = time.monotonic()
    seen: set[str] = set()
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
        while time.monotonic() - began < seconds:
            for checkpoint in client.get(CHECKPOINTS).raise_for_status().json()["results"]:
                if checkpoint["state"] == "published" and checkpoint["id"] not in seen:
                    seen.add(checkpoint["id"])
                    losses = client.get(f"{CHECKPOINTS}/{checkpoint['name']}").json()["losses"]
                    validation = losses["validation"] if losses else "?"
                    text = f"READY to {checkpoint['name']}, validation loss {validation}"
                    line(text, time.monotonic() - began)
            time.sleep(LOOK_SECONDS)


def line(text: str, seconds: float) -> None:
    """One measured line."""
    print(f"  {text:<60}{seconds:8.1f} s", flush=True)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()

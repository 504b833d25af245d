# SPDX-License-Identifier: Apache-2.0
"""Measures the first minutes: from a bare copy of the checkout to checkpoints, and a second start.

`./run bench first-minutes [ROUNDS [SECONDS]]` starts from nothing ROUNDS times (3; the packages are
installed in the first alone), watches the training for SECONDS after READY (150), downloads the
first checkpoint, which `assay` verifies under the fingerprint that was printed, and ends with the
medians. The goals: READY within 60 s, the first checkpoint about 60 s later, a published checkpoint
with a validation loss of 1.6 nats per byte about 120 s after READY, a second start within 8 s.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", ".data", "node_modules", "built", ".*_cache", "__pycache__"
)
CHECKPOINTS = "/api/v1/projects/commons/stdlib-gpt/checkpoints"
LONGEST_START_SECONDS = 600.0
LOOK_SECONDS = 0.5
GOAL_NATS_PER_BYTE = 1.6
FINGERPRINT = re.compile(r"^ +(sha256:[0-9a-f]{64})$", re.MULTILINE)


def main() -> None:
    """Rounds in a folder of their own, then the medians of what happened in the first minutes."""
    words = argparse.ArgumentParser(prog="./run bench first-minutes", description=__doc__)
    words.add_argument("rounds", type=int, nargs="?", default=3)
    words.add_argument("seconds", type=float, nargs="?", default=150.0, help="after READY")
    given = words.parse_args()
    found: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
        home = Path(folder) / "home"
        home.mkdir()
        port = free_port()
        environment = os.environ | {"HOME": str(home), "ASSAY_PORT": str(port)}
        for number in range(given.rounds):
            shutil.rmtree(copy / ".data", ignore_errors=True)
            with started(copy, environment) as seconds:
                found["no data to READY" if number else "from nothing to READY"].append(seconds)
                reader = Reader(copy=copy, environment=environment, url=f"http://localhost:{port}")
                for what, happened in watch(reader, given.seconds):
                    found[what].append(happened)
            with started(copy, environment) as seconds:
                found["second start to READY"].append(seconds)
    print(f"\nmedians of {given.rounds} rounds")
    for what, values in found.items():
        line(f"{what} ({len(values)} ×)", statistics.median(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who has the copy's `assay` command, and an address."""

    copy: Path
    environment: dict[str, str]
    url: str

    def verify(self, checkpoint: str) -> None:
        """Pins what the registry printed, then downloads; stops all if that does not verify."""
        fingerprint = FINGERPRINT.search(self.copy.with_name("up.log").read_text(encoding="utf-8"))
        if fingerprint is None:
            sys.exit("expected a fingerprint in what ./run up printed, found none")
        with tempfile.TemporaryDirectory(dir=self.copy.parent) as folder:
            self._assay("trust", "add", self.url, "--fingerprint", fingerprint[1])
            where = ("--registry", self.url, "--to", f"{folder}/checkpoint")
            self._assay("download", f"commons/stdlib-gpt@{checkpoint}", *where)
            self._assay("verify", f"{folder}/checkpoint")
            self._assay("trust", "remove", self.url)  # the next round's is another

    def _assay(self, *words: str) -> None:
        command = [str(self.copy / ".venv" / "bin" / "assay"), *words]
        ended = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        if ended.returncode != 0:
            sys.exit(f"assay {words[0]} ended with {ended.returncode}:\n{ended.stderr}")


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


def watch(reader: Reader, seconds: float) -> Iterator[tuple[str, float]]:
    """Prints each checkpoint as it is published; yields what the goals speak of."""
    began = time.monotonic()
    seen: set[str] = set()
    is_good = False
    with httpx.Client(base_url=reader.url, timeout=10, trust_env=False) as client:
        while time.monotonic() - began < seconds:
            for checkpoint in client.get(CHECKPOINTS).raise_for_status().json()["results"]:
                if checkpoint["state"] != "published" or checkpoint["id"] in seen:
                    continue
                happened = time.monotonic() - began
                if not seen:
                    yield "READY to the first checkpoint", happened
                    reader.verify(checkpoint["name"])
                    yield "READY to its verification on the disk", time.monotonic() - began
                seen.add(checkpoint["id"])
                losses = client.get(f"{CHECKPOINTS}/{checkpoint['name']}").json()["losses"]
                validation = losses["validation"] if losses else "?"
                line(f"READY to {checkpoint['name']}, validation loss {validation}", happened)
                if losses and float(validation) <= GOAL_NATS_PER_BYTE and not is_good:
                    is_good = True
                    yield f"READY to a checkpoint of {GOAL_NATS_PER_BYTE} nats per byte", happened
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

# SPDX-License-Identifier: Apache-2.0
"""Volunteers' programs as processes: a node that trains, a program that generates; and a small run.

The model is small enough for a few seconds of one core.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from registry.accounts.models import User
from registry.catalog import services as catalog
from registry.pool import services
from registry.pool.models import Run
from tests.registry.people import secret_of
from tests.registry.pool.world import RECIPE, Lab
from tests.running import Live

EVERY = 100
PATIENCE_SECONDS = 120.0
SMALL: dict[str, Any] = {
    **RECIPE,
    "model": {"layers": 1, "width": 16, "heads": 2, "context_bytes": 32},
    "data": {"validation_one_in": 2},
    "batch": {"sequences": 2, "accumulate": 1},
    "checkpoint_every_steps": EVERY,
    "validate_every_steps": EVERY,
}


def small_run(lab: Lab, folder: Path, *, steps: int) -> Run:
    """A run of a model small enough for a test, on text long enough for it."""
    texts = folder / "texts"
    texts.mkdir()
    for number in range(8):
        (texts / f"{number}.txt").write_text(f"def function_{number}(self):\n" * 20)
    origin = catalog.Origin(folder=texts, title="Text", source="This test", license="CC0-1.0")
    dataset = catalog.add_dataset(lab.people.lab.namespace, "small", origin)
    lab.run.delete()
    schedule = {"steps": steps, "warmup_steps": 10, "cooldown_steps": 50}
    recipe = {**SMALL, "schedule": schedule}
    return services.create_run(lab.project, recipe, dataset, lab.people.alice)


@contextmanager
def node(live: Live, owner: User, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A machine of this person at work, until the block ends."""
    with _program(live, "join", secret_of(owner, "node"), directory, "--threads", "1") as process:
        yield process


@contextmanager
def generator(live: Live, owner: User, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A generation program at work, until the block ends."""
    with _program(live, "generate", secret_of(owner, "generation"), directory) as process:
        yield process


def until(is_so: Callable[[], bool], directory: Path) -> None:
    """Waits for it; if it never is, what the program said tells why."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at, (directory / "log").read_text()
        time.sleep(0.02)  # another process: nothing wakes us


@contextmanager
def _program(
    live: Live, word: str, secret: str, directory: Path, *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    directory.mkdir(exist_ok=True)
    token = directory / "token"
    token.write_text(secret)
    arguments = ("--url", live.url, "--token-file", str(token), "--directory", str(directory))
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "assay.trainers.commands", word, *arguments, *options),
            stdout=log,
            stderr=log,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE_SECONDS)

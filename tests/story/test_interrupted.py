# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C at any moment: one clean line, what was not shown, and an exit code that says so."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import free_port
from tests.thorough import thorough

pytestmark = thorough

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130
SECONDS = 60.0


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    for name in ("DATABASE_URL", "BROKER_URL"):
        kept.pop(name, None)
    yield kept | {"ASSAY_DATA_DIR": str(folder / "data"), "ASSAY_PORT": str(free_port())}
    shutil.rmtree(folder)


def interrupted(environment: dict[str, str], *words: str, after: str) -> tuple[int, str]:
    """How it ended when Ctrl-C came right after a line, and all that it said."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as started:
        assert started.stdout is not None
        said = ""
        while after and after not in said and (line := started.stdout.readline()):
            said += line
        started.send_signal(signal.SIGINT)
        rest, _ = started.communicate(timeout=SECONDS)
    return started.returncode, said + rest


def test_a_story_that_was_interrupted_says_what_it_did_not_show(
    environment: dict[str, str],
) -> None:
    code, said = interrupted(environment, "up", "--once", after="PostgreSQL and Valkey")
    assert code == INTERRUPTED, said
    assert "✘ interrupted." in said
    assert "not shown: a checkpoint is trained, signed, logged and published" in said
    assert "not shown: every process stopped; both verify offline" in said
    assert "Traceback" not in said


def test_a_start_that_was_interrupted_is_no_success(environment: dict[str, str]) -> None:
    code, said = interrupted(environment, "up", after="PostgreSQL and Valkey")
    assert code == INTERRUPTED, said
    assert said.splitlines()[-1].startswith("✘ interrupted before it was ready")


def test_a_registry_that_was_ready_may_be_stopped(environment: dict[str, str]) -> None:
    code, said = interrupted(environment, "up", after="Ctrl-C stops everything")
    assert (code, said.splitlines()[-1]) == (0, "Stopped.")
    distributed = Path(environment["ASSAY_DATA_DIR"], "trust")
    assert {"1.root.json", "timestamp.json"} <= {path.name for path in distributed.iterdir()}


def test_in_the_first_second_it_is_one_line(environment: dict[str, str]) -> None:
    """The signal waits until the program can say so, as `./run` has it wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        code, said = interrupted(environment, "up", after="")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    assert (code, said) == (INTERRUPTED, "\n✘ interrupted\n")

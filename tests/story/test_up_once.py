# SPDX-License-Identifier: Apache-2.0
"""The whole story, on real processes and real data: train, sign, publish, generate, verify."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import free_port

ROOT = Path(__file__).resolve().parents[2]
REPLACED = ("DATABASE_URL", "BROKER_URL")
LONGEST_SECONDS = 900.0
SAID = (
    "a checkpoint is trained, signed, logged and published",
    "its registry's root is pinned (assay trust add)",
    "assay download fetches and verifies it",
    "a download that was cut off goes on (Range)",
    "assay verify accepts the checkpoint",
    "model_signing agrees, and refuses one changed byte",
    "a text is generated from it and signed",
    "assay verify traces the text to the checkpoint",
    "one character changed: exactly one link is red",
    "a caller's own text is signed as caller-asserted",
    "training goes on: loss and samples get better",
    "every process stopped; both verify offline",
)
COLUMNS = 80


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    yield folder / "data"
    shutil.rmtree(folder)


def test_up_once_tells_the_whole_story(data: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ASSAY_") and name not in REPLACED
    }
    environment |= {"ASSAY_DATA_DIR": str(data), "ASSAY_PORT": str(free_port())}
    ended = subprocess.run(
        [str(ROOT / "run"), "up", "--once"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = re.findall(r"✔ (.*?) +[0-9.]+ s", ended.stdout)
    assert said[-len(SAID) :] == list(SAID)
    assert "not shown" not in ended.stdout
    scenes = ended.stdout.partition("The story, once:")[2]
    assert max(map(len, scenes.splitlines())) <= COLUMNS
    answer = json.loads((data / "story" / "answer.json").read_bytes())
    assert answer["claim"] == "server-generated"
    assert answer["text"]
    assert (data.stat().st_mode & 0o777) == 0o700
    assert {path.stat().st_mode & 0o777 for path in (data / "secrets").iterdir()} == {0o600}

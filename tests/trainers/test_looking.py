# SPDX-License-Identifier: Apache-2.0
"""The program that looks at pictures: shut in, it says what they show, or why it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np
import pytest

from assay.signing.watermark import WatermarkKey
from assay.trainers.pictures import files, marking
from tests.needing import forbidden
from tests.signing.marking import key

from .pictures.scenes import scene

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def look(data: bytes, *keys: WatermarkKey) -> list[dict[str, Any]]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        done = subprocess.run(
            [sys.executable, "-m", "assay.trainers.looking", str(file.fileno())],
            pass_fds=(file.fileno(),),
            env=ENVIRONMENT,
            input="".join(f"{each.secret.hex()}\n" for each in keys),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert said, done.stderr
    if "unconfined" in said[0]:
        forbidden(said[0]["unconfined"])
    assert said[0] == {"confined": True}
    return said


def test_a_mark_and_a_fingerprint_are_said() -> None:
    marked = marking.mark(scene(3), key(), 42)
    _, said = look(files.written(marked, "JPEG"), key(1), key())
    assert (said["height"], said["width"]) == (512, 512)
    assert len(said["fingerprint"]) == 32
    assert said["mark"]["number"] == 42
    assert said["mark"]["key"] == key().id
    assert said["mark"]["p_value"] < 1e-9


@pytest.mark.parametrize("kind", files.FORMATS)
def test_each_format_is_read_where_no_file_can_be_opened(kind: str) -> None:
    _, said = look(files.written(scene(1, 64), kind))
    assert said["mark"] is None
    assert said["height"] == 64


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no picture", "found another file"),
        (files.write(scene(1, 64))[:300], "found one that ends in"),
        (bytes((8 << 20) + 1), "at most 8388608 bytes"),
    ],
)
def test_what_is_no_picture_is_said(data: bytes, reason: str) -> None:
    _, said = look(data)
    assert reason in said["unusable"]


def test_the_largest_picture_is_looked_at_within_the_limits() -> None:
    wide = np.zeros((2343, 3840, 3), dtype=np.uint8)
    _, said = look(files.written(wide, "PNG"), key())
    assert said["width"] == 3840

# SPDX-License-Identifier: Apache-2.0
"""The program that looks at pictures: shut in, it says what they show, or why it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assay.signing import trustmark
from assay.signing.watermark import WatermarkKey
from assay.trainers import looking
from assay.trainers.pictures import files, marking
from assay.trainers.pictures.marking import Found
from assay.trainers.pictures.trustmark import Writer
from tests.needing import forbidden
from tests.signing.marking import key

from .pictures import networks
from .pictures.scenes import cut, scene

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def look(
    data: bytes, *keys: WatermarkKey, python: Path | None = None, networks: Path | None = None
) -> list[dict[str, Any]]:
    program = (python or sys.executable, "-I", "-m", "assay.trainers.looking")
    folders = () if networks is None else (networks,)
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        done = subprocess.run(
            [*program, str(file.fileno()), *folders],
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
    if said[0].get("unconfined") == looking.WITHOUT_NETWORKS:
        return said
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


def test_trustmarks_mark_is_read_where_our_own_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a picture that was stretched one way; of two marks that are looked for one is enough."""
    folder = tmp_path / "networks"
    digests = networks.made(folder)
    monkeypatch.setattr(trustmark, "SHA256", digests)
    marked = marking.mark(Writer(folder).mark(scene(3), key(), 42), key(), 42)
    stretched = np.asarray(Image.fromarray(marked).resize((700, 512)))
    file = files.written(stretched, "JPEG")
    with_them = {"python": networks.looker(tmp_path / "python", digests), "networks": folder}
    _, said = look(file, key(1), key(), **with_them)
    assert (said["mark"]["number"], said["mark"]["key"]) == (42, key().id)
    assert said["mark"]["p_value"] == pytest.approx(2 * 2 / 2**31)
    assert (said["mark"]["scheme"], said["mark"]["scale"]) == ("com.adobe.trustmark.Q", None)
    _, said = look(file, key())
    assert said["mark"]["p_value"] > 1e-3
    _, said = look(files.written(scene(3), "JPEG"), key(), **with_them)
    assert said["mark"]["p_value"] > 1e-3
    _, said = look(files.written(marked, "JPEG"), key(), **with_them)
    assert (said["mark"]["scheme"], said["mark"]["number"]) == ("tile/v1", 42)
    assert said["mark"]["p_value"] < 1e-12
    _, said = look(files.written(cut(marked, 30, 60, 400), "JPEG"), key(), **with_them)
    assert (said["mark"]["scheme"], said["mark"]["number"]) == ("tile/v1", 42)


def test_a_mark_that_says_whose_picture_it_is_stands_before_one_that_does_not() -> None:
    """Whoever has both is told the number, its own key, and the chance of the surer."""
    ours = Found(scheme="tile/v1", key="a", chance=1e-12, scale=1.0, number=None)
    theirs = Found(scheme="com.adobe.trustmark.Q", key="b", chance=1e-9, scale=None, number=7)
    both = looking.surer(ours, theirs)
    assert both == replace(theirs, chance=2e-12)
    assert looking.surer(replace(ours, number=5), theirs).number == 5
    assert looking.surer(replace(ours, number=5, chance=1e-3), theirs) == replace(
        theirs, chance=2e-9
    )
    assert looking.surer(replace(ours, chance=0.7), None) == replace(ours, chance=1.0)


def test_without_its_networks_nothing_is_looked_at(tmp_path: Path) -> None:
    """And strangers are not told where they should lie."""
    (said,) = look(files.written(scene(1, 64), "PNG"), key(), networks=tmp_path)
    assert said == {"unconfined": looking.WITHOUT_NETWORKS}


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

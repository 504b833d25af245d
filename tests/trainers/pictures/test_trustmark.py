# SPDX-License-Identifier: Apache-2.0
"""TrustMark's mark is written and read by its networks, and no others are run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.signing import trustmark
from assay.trainers.errors import UnusableNetworks
from assay.trainers.pictures import marking
from assay.trainers.pictures.files import Pixels
from assay.trainers.pictures.trustmark import Reader, Writer
from tests.needing import forbidden
from tests.signing.marking import key

from . import networks
from .scenes import cut, saved, scaled, scene

NUMBER = 987_654_321
COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda pixels: pixels,
    "JPEG 70": lambda pixels: saved(pixels, quality=70),
    "one and a third": lambda pixels: scaled(pixels, 1.33),
    "stretched one way": lambda pixels: np.asarray(Image.fromarray(pixels).resize((700, 512))),
    "with our own mark": lambda pixels: marking.mark(pixels, key(), NUMBER),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(trustmark, "SHA256", networks.made(tmp_path / "networks"))
    return tmp_path / "networks"


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_is_read_with_its_number(folder: Path, copy: Callable[[Pixels], Pixels]) -> None:
    marked = Writer(folder).mark(scene(3), key(), NUMBER)
    found = Reader(folder).find(copy(marked), [key(1), key()])
    assert found is not None
    assert (found.key, found.number) == (key().id, NUMBER)
    assert found.chance == pytest.approx(2 / 2**31)


def test_the_true_networks_write_what_copying_leaves() -> None:
    """Adobe's, which are not ours to give away: by hand, where somebody has them."""
    named = os.environ.get("ASSAY_TEST_TRUSTMARK")
    if not named:
        forbidden("ASSAY_TEST_TRUSTMARK names no folder with TrustMark's networks")
    pixels = scene(3)
    marked = marking.mark(Writer(Path(named)).mark(pixels, key(), NUMBER), key(), NUMBER)
    assert np.abs(marked.astype(float) - marking.mark(pixels, key(), NUMBER)).mean() < 4
    for copy in COPIES.values():
        found = Reader(Path(named)).find(copy(marked), [key()])
        assert found is not None
        assert found.number == NUMBER


def test_nothing_is_found_where_none_of_our_keys_vouches_for_it(folder: Path) -> None:
    reader = Reader(folder)
    assert reader.find(scene(3), [key()]) is None
    marked = Writer(folder).mark(scene(3), key(), NUMBER)
    assert reader.find(marked, [key(1)]) is None
    assert reader.find(cut(marked, 0, 0, 200), [key()]) is None


def test_a_grey_picture_comes_back_in_three_channels(folder: Path) -> None:
    grey = scene(5, 256)[:, :, :1]
    marked = Writer(folder).mark(grey, key(), NUMBER)
    assert marked.shape == (256, 256, 3)
    assert Reader(folder).find(marked, [key()]) is not None


@pytest.mark.parametrize("lies", [True, False])
def test_of_a_long_picture_the_middle_is_read(folder: Path, lies: bool) -> None:
    marked = Writer(folder).mark(scene(3, 256), key(), NUMBER)
    long = np.zeros((256, 600, 3), dtype=np.uint8)
    long[:, 172 : 172 + 256] = marked
    seen = long if lies else long.transpose(1, 0, 2).copy()
    found = Reader(folder).find(seen, [key()])
    assert (found is not None) is lies  # what lies on its side is not read


def test_other_networks_are_not_run(folder: Path) -> None:
    (folder / trustmark.DECODER).write_bytes(b"another network")
    with pytest.raises(UnusableNetworks, match=r"decoder_Q.onnx: expected sha256:.*found sha256:"):
        Reader(folder)
    (folder / trustmark.DECODER).unlink()
    with pytest.raises(UnusableNetworks, match="No such file"):
        Reader(folder)


def test_who_cannot_run_them_is_told_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UnusableNetworks, match=r"pip install 'assay\[trustmark\]'"):
        Writer(folder)


def test_nothing_is_told_to_those_who_made_the_runtime(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    Reader(folder)
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"

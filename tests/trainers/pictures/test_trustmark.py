# SPDX-License-Identifier: Apache-2.0
"""TrustMark's mark is written and read by its networks, and no others are run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.signing import trustmark
from assay.trainers.errors import UnusableNetworks
from assay.trainers.pictures import marking
from assay.trainers.pictures.files import Pixels
from assay.trainers.pictures.trustmark import Reader, Writer, _run
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


@pytest.mark.parametrize(("height", "width"), [(256, 600), (600, 256)])
def test_of_a_long_picture_the_middle_is_read(folder: Path, height: int, width: int) -> None:
    long = np.zeros((height, width, 3), dtype=np.uint8)
    top, left = (height - 256) // 2, (width - 256) // 2
    long[top : top + 256, left : left + 256] = Writer(folder).mark(scene(3, 256), key(), NUMBER)
    found = Reader(folder).find(long, [key()])
    assert found is not None
    assert found.number == NUMBER
    assert Reader(folder).find(long[:512, :512], [key()]) is None  # not long: all of it is read


def test_other_networks_are_not_run(folder: Path) -> None:
    (folder / trustmark.DECODER).write_bytes(b"another network")
    with pytest.raises(UnusableNetworks, match=r"decoder_Q.onnx: expected sha256:.*found sha256:"):
        Reader(folder)
    (folder / trustmark.DECODER).unlink()
    with pytest.raises(UnusableNetworks, match="No such file"):
        Reader(folder)


@pytest.mark.parametrize("version", ["1.29.0", "2.0.0", None])
def test_a_runtime_that_tells_what_it_is_given_is_not_even_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    def found(name: str) -> str:
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", found)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # to import it would be an error
    expected = rf"before 1.29, .* found {version or 'none'}: pip install 'assay\[trustmark\]'"
    with pytest.raises(UnusableNetworks, match=expected):
        Writer(folder)


def test_what_the_runtime_cannot_do_is_said(folder: Path) -> None:
    """Its errors have nothing in common, and would end the program that generates."""
    reader = Reader(folder)
    with pytest.raises(UnusableNetworks, match="expected a picture from onnxruntime, found: "):
        _run(reader._decoder, np.zeros((1, 3, 8, 8), dtype=np.float32))

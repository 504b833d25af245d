# SPDX-License-Identifier: Apache-2.0
"""A mark is found in what copying leaves of a picture, and in pictures of others never."""

from collections.abc import Callable

import numpy as np
import pytest

from assay.trainers.pictures import marking
from assay.trainers.pictures.files import Pixels
from tests.signing.marking import key

from .scenes import cut, saved, scaled, scene

NUMBER = 987_654_321
Copy = Callable[[Pixels], Pixels]
COPIES: dict[str, Copy] = {
    "as it is": lambda pixels: pixels,
    "JPEG 70": lambda pixels: saved(pixels, quality=70),
    "WebP 80": lambda pixels: saved(pixels, "WEBP", quality=80),
    "cut": lambda pixels: cut(pixels, 37, 101, 320),
    "three quarters": lambda pixels: scaled(pixels, 0.75),
    "one and a half": lambda pixels: scaled(pixels, 1.5),
    "cut, scaled and JPEG 80": lambda pixels: saved(
        scaled(cut(pixels, 19, 50, 400), 1.25), quality=80
    ),
    "lighter": lambda pixels: np.clip(pixels * 0.8 + 40, 0, 255).astype(np.uint8),
}


@pytest.fixture(scope="module")
def marked() -> Pixels:
    """A picture with the mark of key 0."""
    return marking.mark(scene(3), key(), NUMBER)


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_mark_survives_copying_with_its_number(marked: Pixels, copy: Copy) -> None:
    found = marking.find(copy(marked), [key(1), key()])
    assert (found.key, found.number) == (key().id, NUMBER)
    assert found.chance < 1e-9


def test_it_says_at_which_scale(marked: Pixels) -> None:
    assert marking.find(scaled(marked, 1.25), [key()]).scale == pytest.approx(1.25, rel=0.01)


@pytest.mark.slow
def test_pictures_without_the_mark_show_none(marked: Pixels) -> None:
    pictures = [*(scene(seed) for seed in range(4)), scene(3, 200)]
    found = [marking.find(pixels, [key()]) for pixels in pictures]
    found.append(marking.find(marked, [key(2)]))
    assert min(each.chance for each in found) > 1e-3


def test_a_piece_that_is_smaller_than_a_tile_shows_nothing(marked: Pixels) -> None:
    found = marking.find(cut(marked, 0, 0, 40), [key()])
    assert (found.chance, found.number) == (1.0, None)


def test_eyes_do_not_see_it(marked: Pixels) -> None:
    plain = marking.ROOM + scene(3).astype(float) * (1 - 2 * marking.ROOM / 255)
    noise = np.mean((marked - plain) ** 2)
    assert 10 * np.log10(255**2 / noise) > 34  # decibels


def test_a_picture_of_one_colour_is_marked_too() -> None:
    for shade in (0, 255):
        flat = np.full((512, 512, 1), shade, dtype=np.uint8)
        assert marking.find(marking.mark(flat, key(), 5), [key()]).number == 5


def test_small_pictures_are_not_marked() -> None:
    assert not marking.is_marked(255, 512)
    assert marking.is_marked(256, 256)

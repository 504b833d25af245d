# SPDX-License-Identifier: Apache-2.0
"""A fingerprint stays near where a picture is copied, and tells others apart."""

from itertools import combinations

import numpy as np

from assay.trainers.pictures.files import grey
from assay.trainers.pictures.fingerprint import BITS, distance, fingerprint

from .scenes import saved, scaled, scene

NEAR = 15  # registry/outputs/pictures/finding.py


def test_copies_are_near() -> None:
    for seed in range(6):
        pixels = scene(seed)
        original = fingerprint(grey(pixels))
        copies = [
            saved(pixels, quality=70),
            scaled(pixels, 0.5),
            scaled(pixels, 1.7),
            np.clip(pixels * 0.9 + 20, 0, 255).astype(np.uint8),
        ]
        found = [distance(original, fingerprint(grey(copy))) for copy in copies]
        assert max(found) <= NEAR, (seed, found)


def test_other_pictures_are_not() -> None:
    prints = [fingerprint(grey(scene(seed, 128))) for seed in range(60)]
    assert {len(each) for each in prints} == {BITS // 8}
    found = [distance(one, other) for one, other in combinations(prints, 2)]
    assert min(found) > NEAR
    assert 40 < np.mean(found) < 70


def test_half_of_the_bits_are_set() -> None:
    bits = int.from_bytes(fingerprint(grey(scene(1))), "big").bit_count()
    assert bits == BITS // 2

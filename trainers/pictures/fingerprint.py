# SPDX-License-Identifier: Apache-2.0
"""A picture's fingerprint: 128 bits that stay what they are when it is scaled or saved again.

The picture's lightness at 32 × 32, its cosine transform, and of the 128 lowest frequencies but the
mean whether each is above the median of all: shapes, and neither size nor brightness nor contrast.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .files import Grey, resized

SIDE = 32
BITS = 128


def fingerprint(of: Grey) -> bytes:
    """16 bytes, the lowest frequency first."""
    small = resized(of, SIDE, SIDE).astype(np.float64)
    lowest = (COSINES @ small @ COSINES.T)[ROWS, COLUMNS]
    return np.packbits(lowest > np.median(lowest)).tobytes()


def distance(one: bytes, other: bytes) -> int:
    """In how many bits two differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def _cosines() -> NDArray[np.float64]:
    """The type-II transform, as a matrix; each row has length 1."""
    place = (2 * np.arange(SIDE) + 1) * math.pi / (2 * SIDE)
    rows: NDArray[np.float64] = np.cos(np.outer(np.arange(SIDE), place)) * math.sqrt(2 / SIDE)
    rows[0] /= math.sqrt(2)
    return rows


def _lowest() -> list[tuple[int, int]]:
    """Places of the lowest frequencies, by their sum, without the mean."""
    places = sorted(((row, column) for row in range(SIDE) for column in range(SIDE)), key=_order)
    return places[1 : BITS + 1]


def _order(place: tuple[int, int]) -> tuple[int, int]:
    return sum(place), place[0]


COSINES = _cosines()
ROWS, COLUMNS = map(list, zip(*_lowest(), strict=True))

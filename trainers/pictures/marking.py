# SPDX-License-Identifier: Apache-2.0
"""The pixels' half of the watermark of pictures (docs/spec/watermark.md, *Pictures*).

Writing adds the key's tile, a little stronger where there is much to see. Finding tries the scales
that screens and programs make of a picture; at each, what it shows is added up tile upon tile, so
that where it was cut makes no difference, and held to the key's layers at every place at once.

Shape suffixes: H rows, W columns, C channels, T a tile's side in pixels, S its side in squares, P
where in a square a tile may begin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.signing import picturemark
from assay.signing.picturemark import CHIP_PIXELS, CHIPS, LAYERS, TILE_PIXELS
from assay.signing.watermark import WatermarkKey

from .files import Grey, Pixels, grey, resized

STRENGTH = 1.6
"""By how much of 255 one layer lightens or darkens a flat place."""
MOST = 2.5  # times as strong, where there is much to see
ROOM = 12.0  # kept free above and below, or white paper could not be made lighter
SCALES_BETWEEN = (0.4, 2.5)
SCALE_STEP = 1.02  # half of it moves the edges of 512 pixels by less than a square
SEEN_PIXELS = 512
SURE = 1e-12  # no other scale is tried then
MOST_BY_CHANCE = 1e-3
"""Of each of the three symbols; what is less sure is no number."""
NEAR_PIXELS = 2 * CHIP_PIXELS
LEAST_BUSY = 2.0  # of 255: what is less is as good as flat
TINY = 1e-6  # instead of nothing at all, to divide by


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the best of all tries shows."""

    scheme: str
    """Which mark: picturemark.SCHEME, or trustmark.ALGORITHM."""
    key: str
    """Its id."""
    chance: float
    """That a picture without these keys' marks shows as much, at most."""
    scale: float | None
    """How large the picture is beside the one that was marked, if it was; None: nobody knows."""
    number: int | None
    """The picture's own, where all of it can be read."""


def is_marked(height: int, width: int) -> bool:
    """Whether a picture of this size is given a mark."""
    return min(height, width) >= picturemark.MIN_MARKED_PIXELS


def mark(pixels: Pixels, key: WatermarkKey, number: int) -> Pixels:
    """The picture (HWC) with a key's mark, and its number."""
    height, width, _ = pixels.shape
    moved = (0, *picturemark.symbols(number))
    tile_TT = np.sum([_tile(key, place, symbol) for place, symbol in enumerate(moved)], axis=0)
    times = (height // TILE_PIXELS + 1, width // TILE_PIXELS + 1)
    added_HW = np.tile(tile_TT, times)[:height, :width] * _strength(grey(pixels))
    kept_HWC = ROOM + pixels.astype(np.float32) * (1 - 2 * ROOM / 255)
    levels_HWC: Pixels = np.clip(np.rint(kept_HWC + added_HW[:, :, None]), 0, 255).astype(np.uint8)
    return levels_HWC


def find(pixels: Pixels, keys: Sequence[WatermarkKey]) -> Found:
    """The best of all tries, of at least one key."""
    scales = tuple(_scales(*pixels.shape[:2]))
    tries = len(scales) * len(keys) * TILE_PIXELS**2
    best = _found(keys[0], 1.0, 1.0, None)
    light_HW = grey(pixels)
    for scale in scales:
        shown = _shown(light_HW, scale)
        for key in keys:
            scores_PPSS = _scores(shown, key, 0)
            place = int(np.argmax(scores_PPSS))
            chance = picturemark.chance(float(scores_PPSS.flat[place]), tries)
            if chance < best.chance:
                number = _number(shown, key, place)
                best = _found(key, chance, scale, number)
        if best.chance <= SURE:
            break
    return best


def _found(key: WatermarkKey, chance: float, scale: float, number: int | None) -> Found:
    scheme = picturemark.SCHEME
    return Found(scheme=scheme, key=key.id, chance=chance, scale=scale, number=number)


def _squares(key: WatermarkKey, layer: int) -> Grey:
    """A layer (SS): 1 lighter, -1 darker."""
    bits = np.unpackbits(np.frombuffer(picturemark.chips(key, layer), dtype=np.uint8))
    return bits.reshape(CHIPS, CHIPS).astype(np.float32) * 2 - 1


def _tile(key: WatermarkKey, layer: int, symbol: int) -> Grey:
    """A layer in pixels (TT), moved by its symbol."""
    moved_SS = np.roll(_squares(key, layer), divmod(symbol, CHIPS), axis=(0, 1))
    return moved_SS.repeat(CHIP_PIXELS, axis=0).repeat(CHIP_PIXELS, axis=1)


def _strength(light_HW: Grey) -> Grey:
    """Eyes forgive more where there is much to see."""
    busy = np.abs(light_HW - _blurred(light_HW, CHIP_PIXELS))
    times_HW = np.clip(1 + _blurred(busy, CHIP_PIXELS) / 8, 1, MOST)
    return (STRENGTH * times_HW).astype(np.float32)


def _scales(height: int, width: int) -> Iterator[float]:
    """The likeliest first, as far as there is a tile of the picture at all."""
    low, high = SCALES_BETWEEN
    most = math.ceil(max(abs(math.log(low)), math.log(high)) / math.log(SCALE_STEP))
    for step in sorted(range(-most, most + 1), key=abs):
        scale = SCALE_STEP**step
        if low <= scale <= high and min(height, width) / scale >= TILE_PIXELS:
            yield scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a picture shows at one scale, for each place where a tile may begin."""

    spectra: NDArray[np.complex64]
    """Of the squares' sums (PPSS), along its last two axes."""
    lengths: Grey
    """√Σ of their squares (PP)."""


def _shown(light_HW: Grey, scale: float) -> Shown:
    """What is finer than a few squares, as much of it everywhere, summed tile upon tile."""
    most = round(SEEN_PIXELS * scale)
    top, left = (max(0, (side - most) // 2) for side in light_HW.shape)
    seen_HW = light_HW[top : top + most, left : left + most]
    if scale != 1:
        height, width = (max(TILE_PIXELS, round(side / scale)) for side in seen_HW.shape)
        seen_HW = resized(seen_HW, height, width)
    fine_HW = seen_HW - _blurred(seen_HW, NEAR_PIXELS)
    fine_HW /= LEAST_BUSY + np.sqrt(_blurred(fine_HW * fine_HW, NEAR_PIXELS))
    down, right = (-side % TILE_PIXELS for side in fine_HW.shape)
    whole = np.pad(fine_HW, ((0, down), (0, right)))
    folded_TT = whole.reshape(
        whole.shape[0] // TILE_PIXELS, TILE_PIXELS, whole.shape[1] // TILE_PIXELS, TILE_PIXELS
    ).sum(axis=(0, 2))
    for axis in (0, 1):
        pieces = [np.roll(folded_TT, -by, axis=axis) for by in range(CHIP_PIXELS)]
        folded_TT = np.sum(pieces, axis=0)
    parted = folded_TT.reshape(CHIPS, CHIP_PIXELS, CHIPS, CHIP_PIXELS).transpose(1, 3, 0, 2)
    lengths = np.sqrt((parted * parted).sum(axis=(2, 3))) + TINY
    return Shown(spectra=np.fft.rfft2(parted).astype(np.complex64), lengths=lengths)


def _scores(shown: Shown, key: WatermarkKey, layer: int) -> Grey:
    """Of a layer at each place where its tile may begin (PPSS)."""
    coins = np.conj(np.fft.rfft2(_squares(key, layer)))
    sums = np.fft.irfft2(shown.spectra * coins, s=(CHIPS, CHIPS))
    scores: Grey = (sums / shown.lengths[:, :, None, None]).astype(np.float32)
    return scores


def _number(shown: Shown, key: WatermarkKey, place: int) -> int | None:
    """How far the other layers are moved against the first, which begins at a place."""
    down, right, row, column = np.unravel_index(place, (CHIP_PIXELS, CHIP_PIXELS, CHIPS, CHIPS))
    moved = []
    for layer in range(1, LAYERS):
        scores_SS = _scores(shown, key, layer)[down, right]
        likeliest = int(np.argmax(scores_SS))
        if picturemark.chance(float(scores_SS.flat[likeliest]), scores_SS.size) > MOST_BY_CHANCE:
            return None
        at_row, at_column = divmod(likeliest, CHIPS)
        moved.append(int((at_row - row) % CHIPS * CHIPS + (at_column - column) % CHIPS))
    return picturemark.number(tuple(moved))


def _blurred(of_HW: Grey, radius: int) -> Grey:
    """The mean of a square around each pixel, whose edges go on as they are."""
    wide = 2 * radius + 1
    for axis in (0, 1):
        around = [(radius + 1, radius) if axis == each else (0, 0) for each in (0, 1)]
        sums = np.pad(of_HW, around, mode="edge").cumsum(axis=axis, dtype=np.float64)
        ends = np.take(sums, range(wide, sums.shape[axis]), axis=axis)
        begins = np.take(sums, range(sums.shape[axis] - wide), axis=axis)
        of_HW = ((ends - begins) / wide).astype(np.float32)
    return of_HW

# SPDX-License-Identifier: Apache-2.0
"""Pictures that nobody has to bring along: shapes, shades and letters, the same for one seed."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from assay.trainers.pictures.files import Pixels, read


def scene(seed: int, side: int = 512) -> Pixels:
    """Discs and boxes over a shade, some of them blurred, with a letter."""
    drawn = np.random.default_rng(seed)
    picture = Image.new("RGB", (side, side), _colour(drawn))
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        left, top = drawn.integers(-side // 4, side, 2).tolist()
        wide, high = drawn.integers(side // 16, side // 2, 2).tolist()
        shape = (left, top, left + wide, top + high)
        (pen.ellipse if drawn.integers(2) else pen.rectangle)(shape, fill=_colour(drawn))
    picture = picture.filter(ImageFilter.GaussianBlur(float(drawn.uniform(0, 4))))
    font = ImageFont.load_default(side // 2)
    ImageDraw.Draw(picture).text((side // 4, side // 8), chr(65 + seed % 26), _colour(drawn), font)
    return np.asarray(picture, dtype=np.uint8)


def saved(pixels: Pixels, kind: str = "JPEG", **how: object) -> Pixels:
    """What is left after a format took it."""
    kept = io.BytesIO()
    Image.fromarray(pixels).save(kept, kind, **how)
    return read(kept)


def scaled(pixels: Pixels, by: float) -> Pixels:
    """As a screen shows it, larger or smaller."""
    height, width, _ = pixels.shape
    size = (round(width * by), round(height * by))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def cut(pixels: Pixels, top: int, left: int, side: int) -> Pixels:
    """A piece of it."""
    return pixels[top : top + side, left : left + side]


def _colour(drawn: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = drawn.integers(0, 256, 3).tolist()
    return red, green, blue

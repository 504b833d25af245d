# SPDX-License-Identifier: Apache-2.0
"""Pictures to learn from: letters, as the fonts of this machine draw them.

Shape suffixes: N pictures, C channels (one: grey), H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..errors import UnusablePicture

FOLDERS = (Path("/usr/share/fonts"), Path("/Library/Fonts"), Path("/usr/local/share/fonts"))
KINDS = frozenset({".ttf", ".otf"})
MAX_FONTS = 64
INK, PAPER = 24, 232
PLACES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))  # of 16: a letter is not always in the middle
SIZES = (0.68, 0.78)  # of a picture's side
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Pictures (NCHW), -1 ink to 1 paper, and the number of what each shows (N)."""

    pictures: Tensor
    labels: Tensor


def fonts(folders: Sequence[Path] = FOLDERS) -> tuple[Path, ...]:
    """The fonts in some folders, in an order that does not change."""
    found = (path for folder in folders for path in folder.rglob("*") if path.suffix in KINDS)
    return tuple(sorted(found)[:MAX_FONTS])


def drawn(labels: Sequence[str], files: Sequence[Path], side: int) -> Pictures:
    """Each label in each font, in some sizes and places; without fonts in the one of Pillow's."""
    pictures, numbers = [], []
    for number, label in enumerate(labels):
        for font in (each for share in SIZES for each in _opened(files, round(share * side))):
            for place in PLACES:
                pictures.append(_picture(label, font, side, place))
                numbers.append(number)
    flat = torch.from_numpy(np.stack(pictures)).float()
    return Pictures(pictures=(flat / 127.5 - 1)[:, None], labels=torch.tensor(numbers))


def _opened(files: Sequence[Path], size: int) -> list[Font]:
    if not files:
        return [ImageFont.load_default(size)]
    try:
        return [ImageFont.truetype(str(file), size) for file in files]
    except OSError as error:
        raise UnusablePicture(f"expected fonts to draw with, found: {error}") from error


def _picture(label: str, font: Font, side: int, place: tuple[int, int]) -> np.ndarray:
    picture = Image.new("L", (side, side), PAPER)
    right, down = (each * side / 16 for each in place)
    pen = ImageDraw.Draw(picture)
    left, top, far, low = pen.textbbox((0, 0), label, font=font)
    at = ((side - far - left) / 2 + right, (side - low - top) / 2 + down)
    pen.text(at, label, fill=INK, font=font)
    return np.asarray(picture, dtype=np.uint8)

# SPDX-License-Identifier: Apache-2.0
"""Picture files: a stranger's are opened within limits, and ours written as PNG.

Shape suffixes: H rows, W columns, C channels.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..errors import UnusablePicture

Pixels = NDArray[np.uint8]
Grey = NDArray[np.float32]
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_SIDE_PIXELS = 8192
MAX_PIXELS = 9_000_000
"""A screen of 3840 × 2160 has 8.3 million; reading as many takes 200 MB for a moment."""
MIN_SIDE_PIXELS = 16


def read(file: BinaryIO) -> Pixels:
    """The pixels of a file (HWC, the first picture of several); raises UnusablePicture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow warns of what a file should not have
            with Image.open(file, formats=FORMATS) as picture:
                _check_size(*picture.size)
                return np.asarray(_on_white(picture), dtype=np.uint8)
    except UnusablePicture:
        raise
    except UnidentifiedImageError as error:
        raise UnusablePicture(
            f"expected a picture ({', '.join(FORMATS)}), found another file"
        ) from error
    # Pillow's readers raise whatever the format's code meets; that they fail is all that counts.
    except (OSError, ValueError, SyntaxError, EOFError, Warning, MemoryError, ArithmeticError,
            LookupError, TypeError, Image.DecompressionBombError) as error:  # fmt: skip
        reason = type(error).__name__
        raise UnusablePicture(
            f"expected a whole picture, found one that ends in {reason}"
        ) from None


def write(pixels: Pixels) -> bytes:
    """A PNG file; of one channel a grey one."""
    return written(pixels, "PNG")


def written(pixels: Pixels, kind: str) -> bytes:
    """A file of any of the formats."""
    flat: Any = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    kept = io.BytesIO()
    Image.fromarray(flat).save(kept, format=kind)
    return kept.getvalue()


def grey(pixels: Pixels) -> Grey:
    """Its lightness (HW), 0 to 255."""
    flat: Any = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    return np.asarray(Image.fromarray(flat).convert("L"), dtype=np.float32)


def resized(of: Grey, height: int, width: int) -> Grey:
    """The same at another size, without what the new one cannot show."""
    picture = Image.fromarray(of).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=np.float32)


def _check_size(width: int, height: int) -> None:
    found = f"{width} × {height}"
    if min(width, height) < MIN_SIDE_PIXELS or max(width, height) > MAX_SIDE_PIXELS:
        raise UnusablePicture(
            f"expected {MIN_SIDE_PIXELS} to {MAX_SIDE_PIXELS} pixels each way, found {found}"
        )
    if width * height > MAX_PIXELS:
        raise UnusablePicture(f"expected at most {MAX_PIXELS:,} pixels, found {found}")


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency, which shows what is behind it."""
    whole = picture.convert("RGBA")
    paper = Image.new("RGBA", whole.size, "white")
    return Image.alpha_composite(paper, whole).convert("RGB")

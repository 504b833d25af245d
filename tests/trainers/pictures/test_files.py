# SPDX-License-Identifier: Apache-2.0
"""Picture files of strangers: read within limits, or refused with what was expected."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from assay.trainers.errors import UnusablePicture
from assay.trainers.pictures import files

from .scenes import scene


def png(width: int, height: int) -> bytes:
    """A header that promises much, and next to nothing behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    frames = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0")), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(frames)


def chunk(kind: bytes, body: bytes) -> bytes:
    """One piece of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("kind", files.FORMATS)
def test_each_format_is_read(kind: str) -> None:
    pixels = scene(1, 64)
    read = files.read(io.BytesIO(files.written(pixels, kind)))
    assert read.shape == (64, 64, 3)
    assert np.abs(files.grey(read) - files.grey(pixels)).mean() < 12


def test_ours_are_read_as_they_were_written() -> None:
    pixels = scene(1, 64)
    assert np.array_equal(files.read(io.BytesIO(files.write(pixels))), pixels)
    grey = pixels[:, :, :1]
    read = files.read(io.BytesIO(files.write(grey)))
    assert np.array_equal(read, grey.repeat(3, axis=2))


def test_what_is_transparent_is_white() -> None:
    kept = io.BytesIO()
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(kept, "PNG")
    assert files.read(kept).min() == 255


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "found another file"),
        (b"GIF89a", "found one that ends in|found another file"),
        (b"%PDF-1.7", "found another file"),
        (files.written(scene(1, 64), "TIFF"), "found another file"),
        (png(9000, 16), "8192 pixels each way, found 9000 × 16"),
        (png(8000, 8000), "at most 9,000,000 pixels, found 8000 × 8000"),
        (png(100_000, 100_000), "found 100000 × 100000|found one that ends in"),
        (png(4, 4), "16 to 8192 pixels each way"),
        (png(64, 64), "found one that ends in"),
        (files.write(scene(1, 64))[:-400], "found one that ends in"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(UnusablePicture, match=reason):
        files.read(io.BytesIO(data))

# SPDX-License-Identifier: Apache-2.0
"""Pictures: what Pillow writes is accepted, and what holds anything besides is refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from registry.catalog.content.formats import images
from registry.catalog.content.formats.refused import Refused

CHECKS: dict[str, Callable[[bytes], None]] = {
    "PNG": images.check_png,
    "JPEG": images.check_jpeg,
    "WebP": images.check_webp,
}


def picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    made = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((61, 47)).convert(mode)
    gradient.save(made, kind, **options)
    return made.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {"dpi": (72, 72)}),
        ("PNG", "P", {}),
        ("PNG", "L", {"optimize": True}),
        ("JPEG", "RGB", {}),
        ("JPEG", "L", {"quality": 5}),
        ("JPEG", "CMYK", {"comment": b"a comment"}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "RGB", {"restart_marker_blocks": 1}),
        ("WebP", "RGB", {}),
        ("WebP", "RGBA", {"lossless": True}),
        ("WebP", "RGBA", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
    ],
)
def test_what_pillow_writes_is_accepted(kind: str, mode: str, options: dict[str, object]) -> None:
    CHECKS[kind](picture(kind, mode, **options))


@pytest.mark.parametrize("kind", CHECKS)
def test_a_picture_is_all_that_there_is(kind: str) -> None:
    with pytest.raises(Refused):
        CHECKS[kind](picture(kind) + b"PK\x03\x04")


@pytest.mark.parametrize("kind", CHECKS)
def test_a_picture_is_whole(kind: str) -> None:
    whole = picture(kind)
    for length in (*range(12), len(whole) // 2, len(whole) - 1):
        with pytest.raises(Refused):
            CHECKS[kind](whole[:length])


@pytest.mark.parametrize("kind", CHECKS)
def test_another_picture_is_not_this_one(kind: str) -> None:
    for other in CHECKS.keys() - {kind}:
        with pytest.raises(Refused, match="expected a"):
            CHECKS[kind](picture(other))


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes) -> bytes:
    return images.PNG_MAGIC + b"".join(chunks)


def ihdr(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


DATA, END = chunk(b"IDAT"), chunk(b"IEND")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (png(END), "begins with its header"),
        (png(ihdr(0, 1), DATA, END), "found 0 × 1"),
        (png(ihdr(1, 20_000), DATA, END), "16384 pixels a side"),
        (png(ihdr(1, 1), END), "its data"),
        (png(ihdr(1, 1), ihdr(1, 1), DATA, END), "one header"),
        (png(ihdr(1, 1), chunk(b"EVIL"), DATA, END), "a known type, found b'EVIL'"),
        (png(ihdr(1, 1), chunk(b"a\0b\0"), DATA, END), "a known type"),
        (png(ihdr(1, 1), DATA[:-1] + b"x", END), "the checksum of chunk IDAT"),
    ],
)
def test_a_png_is_read_strictly(content: bytes, found: str) -> None:
    with pytest.raises(Refused, match=found):
        images.check_png(content)


START, STOP = b"\xff\xd8", b"\xff\xd9"
SCAN = b"\xff\xda\x00\x02data\xff\x00\xff\xd0more"


def frame(width: int = 1, height: int = 1) -> bytes:
    return b"\xff\xc0\x00\x08\x08" + struct.pack(">HHB", height, width, 0)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (START + SCAN + STOP, "one frame, found 0"),
        (START + frame() + frame() + SCAN + STOP, "found 2 frames"),
        (START + frame(20_000) + SCAN + STOP, "found 20000 × 1"),
        (START + frame() + b"junk" + STOP, "other bytes at 12"),
        (START + frame() + SCAN, "with an end"),
    ],
)
def test_a_jpeg_is_read_strictly(content: bytes, found: str) -> None:
    with pytest.raises(Refused, match=found):
        images.check_jpeg(content)


def test_fill_bytes_and_markers_without_a_length_are_passed_over() -> None:
    images.check_jpeg(START + b"\xff\x01\xff\xff" + frame() + SCAN + b"\xff\xff" + STOP)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def canvas(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X\x0a\0\0\0" + bytes(4) + sides


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (riff(), "known chunks, found none"),
        (riff(b"EXIF\0\0\0\0"), "known chunks, found b'EXIF'"),
        (riff(b"VP8 \0\0\0\0", b"EVIL\0\0\0\0"), "known chunks"),
        (riff(b"VP8 \x01\0\0\0a"), "2 bytes of chunk"),
        (b"RIFF\x04\0\0\0WAVE", "another RIFF file"),
        (riff(canvas(16_385, 1), b"VP8 \0\0\0\0"), "found 16385 × 1"),
        (riff(canvas(1, 1 << 24), b"VP8 \0\0\0\0"), "found 1 × 16777216"),
        (riff(b"VP8X\x04\0\0\0\0\0\0\0", b"VP8 \0\0\0\0"), "3 bytes of a side"),
    ],
)
def test_a_webp_is_read_strictly(content: bytes, found: str) -> None:
    with pytest.raises(Refused, match=found):
        images.check_webp(content)

# SPDX-License-Identifier: Apache-2.0
"""Pictures of a model card: PNG, JPEG and WebP, walked from their first byte to their last.

Nothing is decoded. What is checked is that a file is one picture and nothing else: no bytes behind
its end, where archives and programs hide, and no size that a viewer would choke on.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from .cursor import Cursor
from .refused import Refused

MAX_BYTES = 32 * 1024 * 1024
MAX_SIDE = 16_384  # pixels; what browsers still draw
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})  # PNG, third edition, 11.2
PNG_HEADER_BYTES = 13  # IHDR's fields, 11.2.1
WEBP_CHUNKS = frozenset(  # RFC 9649, 2.3 to 2.7
    {b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP", b"EXIF", b"XMP "}
)
WEBP_FIRST = frozenset({b"VP8 ", b"VP8L", b"VP8X"})
WEBP_CANVAS, WEBP_SIDE_AT, WEBP_SIDE_BYTES = b"VP8X", 4, 3  # the others have 14 bits for a side
JPEG_FILL = 0xFF  # every marker begins with one, or with several (B.1.1.2)
JPEG_MAGIC = b"\xff\xd8"
JPEG_END, JPEG_SCAN = 0xD9, 0xDA  # ITU-T T.81, table B.1
# Frames, less 0xC4, 0xC8 and 0xCC, which are no frames.
JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
# Where a scan ends: a marker, which is neither a stuffed zero, a restart, nor a fill byte.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def check_png(content: bytes) -> None:
    """Raises Refused unless this is one PNG picture."""
    cursor = Cursor(content=content)
    if cursor.take(len(PNG_MAGIC), "PNG's first bytes") != PNG_MAGIC:
        raise Refused("a PNG picture", "other first bytes")
    kinds: list[bytes] = []
    for kind, body in _png_chunks(cursor):
        if not kinds:
            _check_png_header(kind, body)
        kinds.append(kind)
    if kinds[-1] != b"IEND" or kinds.count(b"IHDR") != 1 or b"IDAT" not in kinds:
        raise Refused("a PNG picture of one header, its data and its end", "other chunks")


def _png_chunks(cursor: Cursor) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk to the end of the file; nothing comes after the first IEND."""
    kind = b""
    while kind != b"IEND":
        length = int.from_bytes(cursor.take(4, "a chunk's length"), "big")
        kind = cursor.take(4, "a chunk's type")
        if not kind.isalpha() or (kind[:1].isupper() and kind not in PNG_CRITICAL):
            raise Refused("a PNG chunk of a known type", ascii(kind))
        body = cursor.take(length, f"chunk {kind.decode()}")
        if int.from_bytes(cursor.take(4, "a checksum"), "big") != zlib.crc32(kind + body):
            raise Refused(f"the checksum of chunk {kind.decode()}", "another")
        yield kind, body
    _check_end(cursor)


def _check_png_header(kind: bytes, body: bytes) -> None:
    if kind != b"IHDR" or len(body) != PNG_HEADER_BYTES:
        raise Refused("a PNG picture that begins with its header", ascii(kind))
    _check_sides(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"))


def check_jpeg(content: bytes) -> None:
    """Raises Refused unless this is one JPEG picture."""
    cursor = Cursor(content=content)
    if cursor.take(2, "JPEG's first bytes") != JPEG_MAGIC:
        raise Refused("a JPEG picture", "other first bytes")
    marker, frames = 0, 0
    while marker != JPEG_END:
        marker = _marker(cursor)
        if marker in JPEG_ALONE or marker == JPEG_END:
            continue
        body = _segment(cursor)
        if marker in JPEG_FRAMES:
            frames += 1
            _check_sides(int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
        elif marker == JPEG_SCAN:
            _skip_scan(cursor)
    if frames != 1:
        raise Refused("a JPEG picture of one frame", f"{frames} frames")
    _check_end(cursor)


def _marker(cursor: Cursor) -> int:
    if cursor.number(1, "a marker") != JPEG_FILL:
        raise Refused("a JPEG marker", f"other bytes at {cursor.at - 1}")
    marker = JPEG_FILL
    while marker == JPEG_FILL:
        marker = cursor.number(1, "a marker")
    return marker


def _segment(cursor: Cursor) -> bytes:
    length = int.from_bytes(cursor.take(2, "a segment's length"), "big")
    return cursor.take(max(0, length - 2), "a segment")


def _skip_scan(cursor: Cursor) -> None:
    end = _AFTER_SCAN.search(cursor.content, cursor.at)
    if end is None:
        raise Refused("a JPEG scan with an end", "none")
    cursor.at = end.start()


def check_webp(content: bytes) -> None:
    """Raises Refused unless this is one WebP picture."""
    cursor = Cursor(content=content)
    if cursor.take(4, "RIFF") != b"RIFF" or cursor.number(4, "a length") != len(content) - 8:
        raise Refused("a WebP picture of the length that it says", "another")
    if cursor.take(4, "WEBP") != b"WEBP":
        raise Refused("a WebP picture", "another RIFF file")
    kinds = []
    while cursor.at < len(content):
        kind = cursor.take(4, "a chunk's type")
        length = cursor.number(4, "a chunk's length")
        body = cursor.take(length + length % 2, f"chunk {kind!a}")
        if kind == WEBP_CANVAS:
            _check_canvas(Cursor(content=body, at=WEBP_SIDE_AT))
        kinds.append(kind)
    if not kinds or kinds[0] not in WEBP_FIRST or not WEBP_CHUNKS.issuperset(kinds):
        raise Refused("a WebP picture of known chunks", ", ".join(map(ascii, kinds[:4])) or "none")


def _check_canvas(cursor: Cursor) -> None:
    """VP8X has 24 bits for a side, less one (RFC 9649, 2.7.1)."""
    width, height = (cursor.number(WEBP_SIDE_BYTES, "a side") + 1 for _ in range(2))
    _check_sides(width, height)


def _check_sides(width: int, height: int) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise Refused(f"a picture of 1 to {MAX_SIDE} pixels a side", f"{width} × {height}")


def _check_end(cursor: Cursor) -> None:
    left = len(cursor.content) - cursor.at
    if left:
        raise Refused("nothing behind the picture's end", f"{left} more bytes")

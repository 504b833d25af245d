# SPDX-License-Identifier: Apache-2.0
"""The kinds of media that a C2PA manifest is written into, told by how their bytes begin."""

from __future__ import annotations

import re
from enum import StrEnum

HEAD_BYTES = 12
_ID3, _PDF, _GIF = b"ID3", b"%PDF-", b"GIF8"
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_MPEG_SYNC, _MPEG_LAYER_3 = 0xFFE0, 0x0002  # ISO/IEC 11172-3, 2.4.1.3: eleven bits, and the layer
_LAYER_BITS = 0x0006
_RESERVED, _NO_SAMPLING_RATE, _NO_BIT_RATES = 1, 3, (0, 15)


class Kind(StrEnum):
    """By media type."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    GIF = "image/gif"
    WAV = "audio/wav"
    MP3 = "audio/mpeg"
    MP4 = "video/mp4"
    PDF = "application/pdf"


# What else begins as one of these does has another word in its place: a QuickTime film, a picture
# of HEIF's, a sound alone; or it is prose about such files.
_SURE = {
    Kind.GIF: re.compile(rb"GIF8[79]a"),
    Kind.PDF: re.compile(rb"%PDF-[12]\.[0-9]"),
    # ISO/IEC 14496-12, 4.3: a box of at most 4 KiB, and which specification the file is best by.
    Kind.MP4: re.compile(rb"\0\0[\0-\x0f].ftyp(iso[m2-9]|mp4[12]|avc1|M4V )", re.DOTALL),
}
_TAG = re.compile(rb"ID3[\x02-\x04][^\xff].[\0-\x7f]{4}", re.DOTALL)  # ID3v2, 3.1


def begun_by(head: bytes) -> Kind | None:
    """Which of them bytes may be that begin so, of HEAD_BYTES or more."""
    if head[:4] == b"RIFF":
        return {b"WEBP": Kind.WEBP, b"WAVE": Kind.WAV}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return Kind.MP4
    starts = {_PNG: Kind.PNG, _JPEG: Kind.JPEG, _GIF: Kind.GIF, _PDF: Kind.PDF, _ID3: Kind.MP3}
    found = next((kind for start, kind in starts.items() if head.startswith(start)), None)
    return found or (Kind.MP3 if _is_frame(head) else None)


def surely(head: bytes) -> Kind | None:
    """The same, where nobody says what it is: what else may begin so is none of them."""
    found = begun_by(head)
    if found is Kind.MP3:
        return found if _TAG.match(head) or _is_playable(head) else None
    whole = None if found is None else _SURE.get(found)
    return found if whole is None or whole.match(head) else None


def _is_frame(head: bytes) -> bool:
    """Whether an MPEG audio frame of layer III begins here, as in an MP3 without tags."""
    number = int.from_bytes(head[:2], "big")
    is_synchronous = number & _MPEG_SYNC == _MPEG_SYNC
    return is_synchronous and number & _LAYER_BITS == _MPEG_LAYER_3


def _is_playable(head: bytes) -> bool:
    """Whether a frame's version, bit rate and sampling rate are some that there are."""
    number = int.from_bytes(head[:4].ljust(4, b"\0"), "big")
    version, bit_rate, sampling_rate = number >> 19 & 3, number >> 12 & 15, number >> 10 & 3
    is_known = version != _RESERVED and sampling_rate != _NO_SAMPLING_RATE
    return _is_frame(head) and is_known and bit_rate not in _NO_BIT_RATES

# SPDX-License-Identifier: Apache-2.0
"""The kinds of media that a manifest is written into, told by how their bytes begin."""

from __future__ import annotations

from enum import StrEnum

from .errors import NotOfItsType, TypeUnknown

HEAD_BYTES = 12
_ID3, _PDF, _GIF = b"ID3", b"%PDF-", b"GIF8"
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_MPEG_SYNC, _MPEG_LAYER_3 = 0xFFE0, 0x0002  # ISO/IEC 11172-3, 2.4.1.3: eleven bits, and the layer
_LAYER_BITS = 0x0006


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


def named(media_type: str) -> Kind:
    """The kind of this media type, without its parameters; raises TypeUnknown."""
    name = media_type.partition(";")[0].strip().lower()
    if name not in list(Kind):
        raise TypeUnknown(
            f"expected one of {', '.join(Kind)}, found {name[:80]!a}; a file of any other kind is "
            "signed by its digest, at /api/v1/outputs/sidecar"
        )
    return Kind(name)


def check(kind: Kind, head: bytes) -> None:
    """Raise NotOfItsType unless bytes that begin so are of this kind."""
    found = _begun_by(head)
    if found is not kind:
        seen = "none that is known here" if found is None else str(found)
        raise NotOfItsType(f"expected bytes that begin as {kind} does, found {seen}")


def _begun_by(head: bytes) -> Kind | None:
    if head[:4] == b"RIFF":
        return {b"WEBP": Kind.WEBP, b"WAVE": Kind.WAV}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return Kind.MP4
    starts = {_PNG: Kind.PNG, _JPEG: Kind.JPEG, _GIF: Kind.GIF, _PDF: Kind.PDF, _ID3: Kind.MP3}
    found = next((kind for start, kind in starts.items() if head.startswith(start)), None)
    return found or (Kind.MP3 if _is_frame(head) else None)


def _is_frame(head: bytes) -> bool:
    """Whether an MPEG audio frame of layer III begins here, as in an MP3 without tags."""
    number = int.from_bytes(head[:2], "big")
    is_synchronous = number & _MPEG_SYNC == _MPEG_SYNC
    return is_synchronous and number & _LAYER_BITS == _MPEG_LAYER_3

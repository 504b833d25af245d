# SPDX-License-Identifier: Apache-2.0
"""A small real file of each kind of media: by Pillow and the standard library, or by hand."""

from __future__ import annotations

import io
import struct
import wave

from PIL import Image, PngImagePlugin

SIZE = (24, 16)
JPEG_APP11, JPEG_SCAN = 0xEB, 0xDA
MP3_FRAME_BYTES = 417  # MPEG 1, layer III, 128 kbit/s at 44.1 kHz, without padding


def picture(kind: str, colour: str = "teal") -> bytes:
    """Of Pillow's name for the format."""
    file = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(file, kind)
    return file.getvalue()


def named_elsewhere() -> bytes:
    """A picture whose XMP says that its manifest is at some address."""
    words = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:dcterms="http://purl.org/dc/terms/" '
        'dcterms:provenance="http://127.0.0.1:9/manifest.c2pa"/></rdf:RDF></x:xmpmeta>'
    )
    xmp = PngImagePlugin.PngInfo()
    xmp.add_itxt("XML:com.adobe.xmp", words)
    file = io.BytesIO()
    Image.new("RGB", SIZE).save(file, "PNG", pnginfo=xmp)
    return file.getvalue()


def saved_again(jpeg: bytes, *, with_manifest: bool = False) -> bytes:
    """As by a program that reads the pixels alone; or one that carries the manifest over, too."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(jpeg)) as opened:
        opened.convert("RGB").save(file, "JPEG", quality=70)
    made = file.getvalue()
    return made[:2] + _manifest_segments(jpeg) + made[2:] if with_manifest else made


def _manifest_segments(jpeg: bytes) -> bytes:
    """C2PA 2.2, A.3.1: segments APP11, which stand before the picture's data."""
    found, at = b"", 2
    while jpeg[at + 1] != JPEG_SCAN:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at + 1] == JPEG_APP11:
            found += jpeg[at:end]
        at = end
    return found


def wav(samples: int = 800) -> bytes:
    """A tenth of a second of a saw tooth."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"".join(struct.pack("<h", n * 97 % 4000) for n in range(samples)))
    return file.getvalue()


def signed_pdf() -> bytes:
    """A document with a later revision that only adds a signature, as programs of others do."""
    first = picture("PDF") + b"\n"
    at, before = len(first), first.rpartition(b"startxref")[2].split()[0].decode()
    entry = f"{at:010} 00000 n \n"
    added = b"9 0 obj<</Type/Sig/ByteRange[0 9 9 9]/Contents<00>>>endobj\n"
    table = f"xref\n9 1\n{entry}trailer<</Size 10/Root 3 0 R/Prev {before}>>\n"
    return first + added + table.encode() + f"startxref\n{at + len(added)}\n%%EOF".encode()


def mp3(frames: int = 4) -> bytes:
    """Silence, behind an empty ID3 tag."""
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + b"\x00" * 10
    frame = b"\xff\xfb\x90\x64".ljust(MP3_FRAME_BYTES, b"\x00")
    return tag + frame * frames


def mp4() -> bytes:
    """A film of no length: its brand, a header, and some data that nothing refers to."""
    return (
        _box(b"ftyp", b"isom\x00\x00\x02\x00isomiso2mp41")
        + _box(b"moov", _box(b"mvhd", _movie_header()))
        + _box(b"mdat", b"\x00" * 64)
    )


def _movie_header() -> bytes:
    """ISO/IEC 14496-12, 8.2.2, version 0: a second has 1,000 units, and the film none."""
    matrix = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    times = struct.pack(">IIIII", 0, 0, 0, 1000, 0)
    return (
        times + struct.pack(">iH10x", 0x10000, 0x100) + matrix + b"\x00" * 24 + b"\x00\x00\x00\x02"
    )


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def everything() -> dict[str, bytes]:
    """By media type."""
    return {
        "image/png": picture("PNG"),
        "image/jpeg": picture("JPEG"),
        "image/webp": picture("WEBP"),
        "image/gif": picture("GIF"),
        "audio/wav": wav(),
        "audio/mpeg": mp3(),
        "video/mp4": mp4(),
        "application/pdf": picture("PDF"),
    }

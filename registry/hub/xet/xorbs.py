# SPDX-License-Identifier: Apache-2.0
"""Reads a xorb as it comes: chunks with a header each, unpacked within limits, and hashed.

A footer is ignored: the hashes in it are the sender's word, and those here are computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from lz4.frame import LZ4FrameDecompressor

from . import hashes
from .errors import InvalidXorb
from .hashes import Node

# The specification's: a chunk has 128 KiB at most, a xorb 64 MiB; clients pack 8192 chunks at most.
MAX_CHUNK_BYTES = 128 * 1024
MAX_CONTENT_BYTES = 64 * 1024 * 1024
MAX_CHUNKS = 8192
# What does not shrink is longer by the headers, and by the footer's forty-odd bytes a chunk.
MAX_XORB_BYTES = MAX_CONTENT_BYTES + 64 * MAX_CHUNKS
HEADER_BYTES = 8
FOOTER = b"XETBLOB"  # where a header would be, whose version would be 88


class Scheme(IntEnum):
    """How a chunk is packed."""

    PLAIN = 0
    LZ4 = 1
    GROUPED_LZ4 = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands before a chunk."""

    scheme: Scheme
    packed_bytes: int
    size_bytes: int


class Reader:
    """One xorb. After an error nothing more is to be fed."""

    def __init__(self) -> None:
        self.chunks: list[Node] = []
        self.size_bytes, self._read_bytes = 0, 0
        self._waiting, self._is_in_footer = bytearray(), False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The chunks that this piece completes, unpacked; raises InvalidXorb."""
        self._read_bytes += len(piece)
        if self._read_bytes > MAX_XORB_BYTES:
            raise InvalidXorb(f"expected at most {MAX_XORB_BYTES} bytes, found more")
        if self._is_in_footer:
            return
        self._waiting += piece
        at = 0
        while (header := self._header(at)) is not None:
            end = at + HEADER_BYTES + header.packed_bytes
            if end > len(self._waiting):
                break
            yield self._chunk(header, bytes(self._waiting[at + HEADER_BYTES : end]))
            at = end
        del self._waiting[:at]

    def end(self, expected: bytes) -> None:
        """Nothing more comes; raises InvalidXorb where it is not the xorb of this hash."""
        if self._waiting and not self._is_in_footer:
            raise InvalidXorb(
                f"expected the rest of chunk {len(self.chunks)}, found the end after "
                f"{self._read_bytes} bytes"
            )
        if not self.chunks:
            raise InvalidXorb("expected a chunk, found none")
        found = hashes.of_tree(self.chunks)
        if found != expected:
            raise InvalidXorb(
                f"expected the xorb {hashes.written(expected)}, found {hashes.written(found)}"
            )

    def _header(self, at: int) -> Header | None:
        """None where the next one has not come yet, or there is none."""
        head = self._waiting[at : at + HEADER_BYTES]
        if head.startswith(FOOTER):
            self._is_in_footer = True
            return None
        if len(head) < HEADER_BYTES:
            return None
        if head[0] != 0:
            raise self._wrong(f"expected version 0, found {head[0]}")
        if head[4] > max(Scheme):
            raise self._wrong(f"expected scheme 0, 1 or 2, found {head[4]}")
        header = Header(
            scheme=Scheme(head[4]),
            packed_bytes=int.from_bytes(head[1:4], "little"),
            size_bytes=int.from_bytes(head[5:8], "little"),
        )
        if not 0 < header.size_bytes <= MAX_CHUNK_BYTES:
            raise self._wrong(f"expected 1 to {MAX_CHUNK_BYTES} bytes, found {header.size_bytes}")
        if header.packed_bytes > 2 * MAX_CHUNK_BYTES:
            raise self._wrong(f"expected it packed smaller, found {header.packed_bytes} bytes")
        return header

    def _chunk(self, header: Header, packed: bytes) -> bytes:
        if len(self.chunks) == MAX_CHUNKS:
            raise InvalidXorb(f"expected at most {MAX_CHUNKS} chunks, found more")
        content = self._unpacked(header, packed)
        if len(content) != header.size_bytes:
            raise self._wrong(f"expected {header.size_bytes} bytes in it, found others")
        self.size_bytes += len(content)
        if self.size_bytes > MAX_CONTENT_BYTES:
            raise InvalidXorb(f"expected at most {MAX_CONTENT_BYTES} bytes in it, found more")
        self.chunks.append((hashes.of_chunk(content), len(content)))
        return content

    def _unpacked(self, header: Header, packed: bytes) -> bytes:
        match header.scheme:
            case Scheme.PLAIN:
                return packed
            case Scheme.LZ4:
                return self._unframed(packed, header.size_bytes)
            case Scheme.GROUPED_LZ4:
                return ungrouped(self._unframed(packed, header.size_bytes))

    def _unframed(self, packed: bytes, size_bytes: int) -> bytes:
        """One LZ4 frame, whatever it says of its own size: no more than one byte too many."""
        reading = LZ4FrameDecompressor()
        try:
            content: bytes = reading.decompress(packed, max_length=size_bytes + 1)
        except (RuntimeError, ValueError) as error:
            raise self._wrong("expected an LZ4 frame, found something else") from error
        if not reading.eof or reading.unused_data:
            raise self._wrong(
                f"expected one LZ4 frame of {size_bytes} bytes, found more or a part of it"
            )
        return content

    def _wrong(self, what: str) -> InvalidXorb:
        return InvalidXorb(f"chunk {len(self.chunks)}: {what}")


def ungrouped(grouped: bytes) -> bytes:
    """Bytes that were sorted by their place in each four, in their order again."""
    whole, rest = divmod(len(grouped), 4)
    content, start = bytearray(len(grouped)), 0
    for place in range(4):
        end = start + whole + (place < rest)
        content[place::4] = grouped[start:end]
        start = end
    return bytes(content)

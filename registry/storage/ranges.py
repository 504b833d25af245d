# SPDX-License-Identifier: Apache-2.0
"""Which bytes a GET asks for: one range of RFC 9110, section 14, or all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import UnsatisfiableRange

# Of what programs fetch in parts (aria2 splits no smaller). Who reads a file's type takes a few
# bytes, and who reads the header of weights 100,000 first (huggingface_hub).
LEAST_BYTES = 1 << 20
_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes `start` up to, not including, `end`, of a file of `size_bytes`."""

    start: int
    end: int
    size_bytes: int
    is_partial: bool

    @property
    def is_a_download(self) -> bool:
        """All of it, or the first part of what is fetched in parts: no look at how it begins."""
        return self.start == 0 and self.end >= min(LEAST_BYTES, self.size_bytes)

    @property
    def length_bytes(self) -> int:
        """How many bytes will be sent."""
        return self.end - self.start

    @property
    def content_range(self) -> str:
        """The header of a 206."""
        return f"bytes {self.start}-{self.end - 1}/{self.size_bytes}"


def span_of(header: str | None, *, size_bytes: int) -> Span:
    """The span a Range header asks for; several ranges, or nonsense, are answered with everything.

    Raises UnsatisfiableRange for a range that lies outside the file (416).
    """
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None or (not match[1] and not match[2]):
        return Span(start=0, end=size_bytes, size_bytes=size_bytes, is_partial=False)
    if not match[1]:
        start, end = max(size_bytes - int(match[2]), 0), size_bytes
    else:
        start = int(match[1])
        end = min(int(match[2]) + 1, size_bytes) if match[2] else size_bytes
        if match[2] and int(match[2]) < start:
            return Span(start=0, end=size_bytes, size_bytes=size_bytes, is_partial=False)
    if start >= end:
        raise UnsatisfiableRange(
            f"expected a range within {size_bytes} bytes, found {header}",
            headers={"Content-Range": f"bytes */{size_bytes}"},
        )
    return Span(start=start, end=end, size_bytes=size_bytes, is_partial=True)

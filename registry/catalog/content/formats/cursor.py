# SPDX-License-Identifier: Apache-2.0
"""Reads a binary header from front to back; whoever asks for more than there is learns where."""

from __future__ import annotations

from dataclasses import dataclass

from .refused import Refused


@dataclass(slots=True, kw_only=True)
class Cursor:
    """A place in bytes that somebody else wrote."""

    content: bytes
    at: int = 0

    def take(self, count: int, what: str) -> bytes:
        """The next bytes."""
        start = self.at
        self.skip(count, what)
        return self.content[start : self.at]

    def skip(self, count: int, what: str) -> None:
        """Past the next bytes; raises Refused where there are fewer."""
        if count > len(self.content) - self.at:
            raise Refused(f"{count} bytes of {what} at {self.at}", f"{len(self.content) - self.at}")
        self.at += count

    def number(self, size_bytes: int, what: str) -> int:
        """The next unsigned number, little-endian."""
        return int.from_bytes(self.take(size_bytes, what), "little")

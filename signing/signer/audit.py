# SPDX-License-Identifier: Apache-2.0
"""The signer's own audit file: a JSON line for each signature, chained by SHA-256, synced first.

A line says that a signature was allowed, and is durable before the signature is made: a crash in
between leaves a line without a signature, never a signature without a line. No clock in here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from .. import canonical
from ..durable import write_file
from .errors import AuditUnavailable, SignerFilesBroken

BEFORE_THE_FIRST = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMark:
    """How many lines the chain has and the SHA-256 of its newest (without its line feed)."""

    lines: int
    sha256: str


EMPTY = AuditMark(lines=0, sha256=BEFORE_THE_FIRST)


class Audit:
    """The open audit file. One writer: the signer holds a lock on its folder."""

    def __init__(
        self,
        descriptor: int,
        *,
        mark: AuditMark,
        size_bytes: int,
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        self._descriptor = descriptor
        self._mark = mark
        self._durable_bytes = size_bytes
        self._sync = sync
        self._is_suspect = False

    @classmethod
    def open(cls, path: Path, *, anchor: AuditMark, at: datetime) -> Audit:
        """Verify the whole chain, drop what a crash left of an unfinished line, and say so in it.

        `anchor` is a mark stored elsewhere (the high-water file): a chain that does not hold it
        was cut or rewritten. Raises SignerFilesBroken or AuditUnavailable.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
            with path.open("rb") as file:
                mark, good_bytes, torn_bytes = _verify(file, anchor=anchor)
        except OSError as error:
            raise AuditUnavailable(f"the audit file cannot be opened: {error.strerror}") from error
        audit = cls(descriptor, mark=mark, size_bytes=good_bytes)
        if torn_bytes:
            # That line was never synced whole, so nothing was signed for it.
            audit._is_suspect = True
            audit.append(at=at, op="healed", details={"dropped_bytes": torn_bytes})
        return audit

    @staticmethod
    def create(path: Path) -> None:
        """An empty chain; only the ceremony calls this, so that a lost file is never overlooked."""
        write_file(path, b"")

    @property
    def mark(self) -> AuditMark:
        return self._mark

    def append(self, *, at: datetime, op: str, details: Mapping[str, str | int]) -> AuditMark:
        """Make one line durable; until this returns nothing may be signed for it."""
        return self.append_all(at=at, op=op, each=(details,))

    def append_all(
        self, *, at: datetime, op: str, each: Sequence[Mapping[str, str | int]]
    ) -> AuditMark:
        """Make a line for each durable, with one sync for all of them, or none."""
        mark, lines = self._mark, bytearray()
        for details in each:
            line = canonical.dumps(
                {
                    **details,
                    "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                    "n": mark.lines + 1,
                    "op": op,
                    "previous": mark.sha256,
                }
            )
            mark = AuditMark(lines=mark.lines + 1, sha256=_sha256(line))
            lines += line + b"\n"
        if lines:
            self._make_durable(lines)
        self._mark = mark
        return mark

    def close(self) -> None:
        os.close(self._descriptor)

    def _make_durable(self, lines: bytearray) -> None:
        try:
            self._write(lines)
        except OSError as error:
            self._is_suspect = True
            message = f"nothing was signed: the audit line cannot be written: {error.strerror}"
            raise AuditUnavailable(message) from error
        self._durable_bytes += len(lines)

    def _write(self, lines: bytearray) -> None:
        if self._is_suspect:
            # What follows the last durable line is from a write or a sync that failed. Its pages
            # may be in memory and not on the disk, so it is cut off and never chained upon.
            os.ftruncate(self._descriptor, self._durable_bytes)
            self._sync(self._descriptor)
            self._is_suspect = False
        written_bytes = os.write(self._descriptor, lines)
        if written_bytes != len(lines):
            raise OSError(None, f"only {written_bytes} of {len(lines)} bytes fitted")
        self._sync(self._descriptor)


def _verify(file: BinaryIO, *, anchor: AuditMark) -> tuple[AuditMark, int, int]:
    """The chain's newest mark, its size in bytes, and the bytes of an unfinished line after it."""
    mark, good_bytes = EMPTY, 0
    for line in file:
        if not line.endswith(b"\n"):
            _hold_anchor(mark, anchor)
            return mark, good_bytes, len(line)
        mark = _next(mark, line[:-1])
        good_bytes += len(line)
        if mark.lines == anchor.lines:
            _hold_anchor(mark, anchor)
    _hold_anchor(mark, anchor)
    return mark, good_bytes, 0


def _next(mark: AuditMark, line: bytes) -> AuditMark:
    number = mark.lines + 1
    try:
        entry: object = json.loads(line)
    except ValueError as error:
        raise SignerFilesBroken(f"line {number} of the audit file is not JSON") from error
    if not isinstance(entry, dict):
        raise SignerFilesBroken(f"line {number} of the audit file is not an object")
    fields = cast("dict[str, object]", entry)
    if fields.get("previous") != mark.sha256 or fields.get("n") != number:
        message = f"line {number} of the audit file does not continue the line before it"
        raise SignerFilesBroken(message)
    return AuditMark(lines=number, sha256=_sha256(line))


def _hold_anchor(mark: AuditMark, anchor: AuditMark) -> None:
    if mark.lines < anchor.lines:
        message = (
            f"the audit file holds {mark.lines} lines, but the high-water mark was written after "
            f"line {anchor.lines}: lines are missing"
        )
        raise SignerFilesBroken(message)
    if mark.lines == anchor.lines and mark.sha256 != anchor.sha256:
        message = f"line {anchor.lines} of the audit file is not the one the high-water mark names"
        raise SignerFilesBroken(message)


def _sha256(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()

# SPDX-License-Identifier: Apache-2.0
"""The ledger's high-water mark: the largest tree head that was ever signed, durable before it is.

The database may be restored from an old dump or be written to by an intruder; this file, outside of
it, is why the signer will then refuse to sign a smaller or another tree (docs/adr/0003).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .. import canonical
from ..durable import write_file
from ..errors import InvalidDocument
from ..merkle import EMPTY_ROOT
from .audit import EMPTY, AuditMark
from .errors import SignerFilesBroken, StorageUnavailable

HEAD_TYPE = "https://assay/signer-head/v1"
MAX_FILE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A tree that was signed: how many entries it has and its root hash."""

    size: int
    root: bytes


class HighWater:
    """The mark in memory and its file, always in this order: file first."""

    def __init__(self, path: Path, *, head: Head, audit: AuditMark) -> None:
        self._path = path
        self._head = head
        self._audit = audit

    @classmethod
    def create(cls, path: Path) -> HighWater:
        """The mark of an empty ledger; only the ceremony calls this."""
        mark = cls(path, head=Head(size=0, root=EMPTY_ROOT), audit=EMPTY)
        write_file(path, _document(mark.head, mark.audit))
        return mark

    @classmethod
    def load(cls, path: Path) -> HighWater:
        """Read the mark back. A missing one is refused: it is never taken for an empty ledger."""
        try:
            data = path.read_bytes()
        except OSError as error:
            message = f"the high-water mark {path.name} cannot be read: {error.strerror}"
            raise SignerFilesBroken(message) from error
        try:
            return cls._parse(path, data)
        except InvalidDocument as error:
            message = f"the high-water mark {path.name} is malformed: {error}"
            raise SignerFilesBroken(message) from error

    @classmethod
    def _parse(cls, path: Path, data: bytes) -> HighWater:
        loaded = canonical.loads(data, max_bytes=MAX_FILE_BYTES)
        document = canonical.as_mapping(loaded, "document")
        canonical.literal(document, "type", HEAD_TYPE)
        audit = canonical.mapping(document, "audit")
        return cls(
            path,
            head=Head(
                size=canonical.integer(document, "size"),
                root=bytes.fromhex(canonical.sha256_hex(document, "root")),
            ),
            audit=AuditMark(
                lines=canonical.integer(audit, "lines"),
                sha256=canonical.sha256_hex(audit, "sha256"),
            ),
        )

    @property
    def head(self) -> Head:
        return self._head

    @property
    def audit(self) -> AuditMark:
        """The audit mark that was newest when this head was written."""
        return self._audit

    def advance(self, head: Head, *, audit: AuditMark) -> None:
        """Make the new mark durable. The caller has verified that it continues this one.

        If it raises StorageUnavailable the disk may already hold the new mark: harmless, because
        that head was never signed, and asking for it again is allowed.
        """
        try:
            write_file(self._path, _document(head, audit))
        except OSError as error:
            message = f"nothing was signed: the high-water mark cannot be written: {error.strerror}"
            raise StorageUnavailable(message) from error
        self._head, self._audit = head, audit


def _document(head: Head, audit: AuditMark) -> bytes:
    return canonical.dumps(
        {
            "audit": {"lines": audit.lines, "sha256": audit.sha256},
            "root": head.root.hex(),
            "size": head.size,
            "type": HEAD_TYPE,
        }
    )

# SPDX-License-Identifier: Apache-2.0
"""What a monitor keeps: the newest tree head that it verified, and every head that contradicts it.

Both are signed notes as they came: whoever doubts the monitor can verify them. A contradiction is
never removed; it is the proof that the ledger signed two histories.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from .. import treehead
from ..durable import PRIVATE_FOLDER_MODE, write_file
from ..errors import BadTreeHead
from ..merkle import EMPTY_ROOT
from ..treehead import TreeHead, Verifier
from .errors import MonitorStateBroken

VERIFIED_FILE = "verified"
CONTRADICTION = "contradiction-{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The folder of a monitor, for one ledger."""

    folder: Path
    ledger: Verifier

    def verified(self) -> TreeHead:
        """The newest head that was verified; an empty tree before the first."""
        path = self.folder / VERIFIED_FILE
        try:
            return treehead.verify(path.read_text("utf-8"), self.ledger.text())
        except FileNotFoundError:
            return TreeHead(origin=self.ledger.origin, size=0, root=EMPTY_ROOT)
        except (OSError, UnicodeDecodeError, BadTreeHead) as error:
            raise MonitorStateBroken(f"{path}: {error}") from error

    def keep_verified(self, note: str) -> None:
        """Go on from this head the next time."""
        self._write(VERIFIED_FILE, note)

    def keep_contradiction(self, note: str) -> str:
        """Keep a head that cannot be of the same history; the name of its file."""
        name = CONTRADICTION.format(sha256(note.encode()).hexdigest()[:16])
        self._write(name, note)
        return name

    def _write(self, name: str, note: str) -> None:
        try:
            self.folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
            write_file(self.folder / name, note.encode())
        except OSError as error:
            raise MonitorStateBroken(f"{self.folder / name}: {error.strerror}") from error

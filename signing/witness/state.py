# SPDX-License-Identifier: Apache-2.0
"""What a witness remembers: of each ledger the newest tree head it cosigned, durable beforehand.

One file for each ledger, `<SHA-256 of its origin>.json`. A file that is not there says that nothing
was ever cosigned; one that cannot be read is refused, as it may hold a head that must not be
forgotten. One process at a time.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from .. import canonical
from ..durable import write_file
from ..errors import InvalidDocument
from ..merkle import EMPTY_ROOT
from ..treehead import TreeHead
from .errors import WitnessStateBroken

SEEN_V1 = "https://assay/witness-head/v1"
MAX_FILE_BYTES = 4096
LOCK_FILE = "lock"
FOLDER_MODE, LOCK_MODE = 0o700, 0o600


@dataclass(frozen=True, slots=True)
class Memory:
    """The folder of a witness, locked for as long as the process lives."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Memory:
        """Take the folder, or make it; raises WitnessStateBroken."""
        try:
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, LOCK_MODE)
        except OSError as error:
            raise WitnessStateBroken(f"{folder}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise WitnessStateBroken(f"another witness is using {folder}") from error
        return cls(folder)

    def newest(self, origin: str) -> TreeHead:
        """The newest head of this ledger that was cosigned; an empty tree before the first."""
        path = self._path(origin)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return TreeHead(origin=origin, size=0, root=EMPTY_ROOT)
        except OSError as error:
            raise WitnessStateBroken(f"{path}: {error.strerror}") from error
        try:
            obj = canonical.as_mapping(canonical.loads(data, max_bytes=MAX_FILE_BYTES), "document")
            canonical.literal(obj, "type", SEEN_V1)
            canonical.literal(obj, "origin", origin)
            root = bytes.fromhex(canonical.sha256_hex(obj, "root"))
            return TreeHead(origin=origin, size=canonical.integer(obj, "size"), root=root)
        except InvalidDocument as error:
            raise WitnessStateBroken(f"{path}: {error}") from error

    def remember(self, head: TreeHead) -> None:
        """Make it durable that this head was seen; only then may it be cosigned."""
        document = {
            "type": SEEN_V1,
            "origin": head.origin,
            "size": head.size,
            "root": head.root.hex(),
        }
        path = self._path(head.origin)
        try:
            write_file(path, canonical.dumps(document))
        except OSError as error:
            raise WitnessStateBroken(f"{path}: {error.strerror}") from error

    def _path(self, origin: str) -> Path:
        return self.folder / f"{sha256(origin.encode()).hexdigest()}.json"

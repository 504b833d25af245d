# SPDX-License-Identifier: Apache-2.0
"""One supervisor for one data folder: a lock that the kernel drops when its holder dies."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from .errors import AlreadyRunning


class Lock:
    """Held from `with` to the end of the block; the file says who holds it.

    `was_left`: the last holder was killed, and its children may be on their way out still.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self.was_left = False

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._path.read_text().strip() or "unknown"
            os.close(descriptor)
            raise AlreadyRunning(
                f"a registry already runs on {self._path.parent.parent} (process {holder}); "
                "stop it with Ctrl-C there, or name another folder in ASSAY_DATA_DIR"
            ) from None
        self.was_left = os.fstat(descriptor).st_size > 0
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.truncate(self._descriptor, 0)
        os.close(self._descriptor)

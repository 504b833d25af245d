# SPDX-License-Identifier: Apache-2.0
"""What the signer asks of the kernel: die with the parent, leave no memory behind.

Linux only; each call is one prctl(2) or setrlimit(2).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
from pathlib import Path

from .errors import SignerFilesBroken

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
LOCK_MODE = 0o600


def die_with_parent(parent: int) -> None:
    """Be told to stop (SIGTERM) when the thread that started this process ends.

    `parent` is the process id of the parent as it was known before.
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGTERM)


def keep_memory_private() -> None:
    """No core dumps, and no other process of this user may read this one's memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(PR_SET_DUMPABLE, 0)


def lock(path: Path) -> int:
    """Hold a file's lock for as long as this process lives; raises SignerFilesBroken.

    Two signers on one folder could sign two ledgers: each has its own mark in memory.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, LOCK_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise SignerFilesBroken(f"another signer holds {path}") from error
    return descriptor


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")

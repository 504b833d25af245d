# SPDX-License-Identifier: Apache-2.0
"""How a long-running command lives and dies: signals, its parent, its token."""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from ..errors import NoToken

PR_SET_PDEATHSIG = 1  # prctl(2); Linux only


def add_registry(word: argparse.ArgumentParser) -> None:
    """The options of every command that speaks to a registry."""
    word.add_argument("--url", required=True, help="the registry")
    word.add_argument(
        "--token-file", required=True, type=Path, help="a file with the token to speak with"
    )
    word.add_argument("--name", default=platform.node() or "node", help="this machine's name")
    word.add_argument(
        "--die-with-parent",
        action="store_true",
        help="stop when the process that started this one ends (Linux)",
    )


def read_token(path: Path) -> str:
    """The token in a file."""
    token = path.read_text(encoding="utf-8").strip()
    if not token or not token.isprintable() or " " in token:
        raise NoToken(f"{path}: expected a token, found none")
    return token


def stop_on_signals() -> threading.Event:
    """An event that the first SIGTERM or SIGINT sets; a second one interrupts at once."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped


def interrupt_on_signals() -> None:
    """Let SIGTERM end the command as SIGINT does: wherever it is."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def die_with_parent(parent: int) -> None:
    """Receive SIGTERM when the parent process ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
        if os.getppid() != parent:  # it ended before prctl took hold
            os.kill(os.getpid(), signal.SIGTERM)

# SPDX-License-Identifier: Apache-2.0
"""One line on a terminal that says how far a long piece of work has come; nothing in a pipe.

What works knows nothing of terminals: a thread of ours asks it from outside how many bytes it has
done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..values import dataclass
from .terminal import Terminal, size_in_words

SHOWN_FROM_BYTES = 64 << 20  # less is done before anybody wonders
TICK_SECONDS = 0.25
BAR_COLUMNS = 40  # with the words beside it, in 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done to how many bytes, and how to learn how many of them are done."""

    verb: str
    total_bytes: int
    done_bytes: Callable[[], int]


@contextmanager
def shown(work: Work, progress: Terminal) -> Iterator[None]:
    """Keep one line up to date for as long as the block lasts, then take it away."""
    if not progress.is_live or work.total_bytes < SHOWN_FROM_BYTES:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(work, progress, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        progress.replace_line("")


def _watch(work: Work, progress: Terminal, done: threading.Event) -> None:
    started_at = time.monotonic()
    while not done.wait(TICK_SECONDS):
        seconds = time.monotonic() - started_at
        done_bytes = min(work.total_bytes, work.done_bytes())
        share = _bar(done_bytes / work.total_bytes, progress) if done_bytes else ""
        size = size_in_words(work.total_bytes)
        progress.replace_line(f"{work.verb} {size}{share}, {seconds:.0f} s")


def _bar(share: float, progress: Terminal) -> str:
    full, empty = ("█", "░") if progress.has_marks else ("#", "-")
    filled = int(share * BAR_COLUMNS)
    return f" {full * filled}{empty * (BAR_COLUMNS - filled)} {share:.0%}"

# SPDX-License-Identifier: Apache-2.0
"""Signals that end this process in order, whatever the code makes of them that they meet."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_SECONDS = 0.05


def listen() -> None:
    """The first signal stops everything in order; more of them change nothing.

    Under nohup the end of the terminal is no signal to end: it was ignored before we were started.
    """
    for each in ENDING:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, _interrupt)
    sys.unraisablehook = _come_again


@contextmanager
def interruptible() -> Iterator[None]:
    """An interrupt leaves this block as KeyboardInterrupt.

    Before Python 3.12 one that comes while a class is made is the cause of a RuntimeError.
    """
    try:
        yield
    except Exception as problem:  # of any class: its cause decides, and all others go on
        cause: BaseException | None = problem
        while cause is not None and not isinstance(cause, KeyboardInterrupt):
            cause = cause.__cause__
        if cause is None:
            raise
        raise KeyboardInterrupt from None


def _interrupt(number: int, _frame: FrameType | None) -> None:
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(number).name)


def _come_again(lost: "sys.UnraisableHookArgs") -> None:
    """An interrupt in an object's `__del__`, which Python tells of and goes on, comes once more."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    number = signal.Signals[str(lost.exc_value) or signal.SIGINT.name]
    signal.signal(number, _interrupt)
    threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), number)).start()

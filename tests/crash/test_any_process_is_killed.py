# SPDX-License-Identifier: Apache-2.0
"""Each process of a registry killed -9, one after another: there is one of it again."""

import os
import signal
import sys
import time
from collections import Counter

import pytest

from tests.crash.supervised import GONE_SECONDS, START_SECONDS, descendants, gone, running, start
from tests.until import until

# The database starts its own itself, as many as it needs; what reads a file ends with it.
CHANGING = ("postgres: ", "content.formats.child")
SETTLED_SECONDS = 5.0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc, which says what runs, is Linux's")
def test_there_is_one_of_it_again(environment: dict[str, str]) -> None:
    registry = start(environment)
    try:
        settled = settle(registry.pid)
        seen, programs = set(settled), Counter(settled.values())
        for victim in sorted(settled, reverse=True):  # before those that started them
            kill(victim, of=registry.pid)
            until(lambda: Counter(standing(registry.pid).values()) == programs)
            seen |= descendants(registry.pid)
    finally:
        seen |= descendants(registry.pid)
        registry.send_signal(signal.SIGTERM)
        registry.communicate(timeout=GONE_SECONDS)
    assert gone(seen) == {}


def kill(victim: int, *, of: int) -> None:
    """Unless it went with one that was killed before."""
    if victim in standing(of):
        os.kill(victim, signal.SIGKILL)
        until(lambda: not running({victim}))


def settle(pid: int) -> dict[int, str]:
    """What stands once all have started what they start."""
    before: dict[int, str] = {}
    deadline = time.monotonic() + START_SECONDS
    while (now := standing(pid)) != before:
        assert time.monotonic() < deadline, now
        before = now
        time.sleep(SETTLED_SECONDS)  # settled is what is the same after so long
    return now


def standing(pid: int) -> dict[int, str]:
    """Those that always run, with their command lines."""
    found = running(descendants(pid))
    return {each: said for each, said in found.items() if not any(one in said for one in CHANGING)}

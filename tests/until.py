# SPDX-License-Identifier: Apache-2.0
"""Waits for what another process or thread does and tells nobody of."""

import time
from collections.abc import Callable

LONGEST_SECONDS = 300.0
BETWEEN_LOOKS_SECONDS = 0.01


def until(happened: Callable[[], object]) -> None:
    """Look again and again; fails after five minutes."""
    give_up_at = time.monotonic() + LONGEST_SECONDS
    while not happened():
        assert time.monotonic() < give_up_at, "it never happened"
        time.sleep(BETWEEN_LOOKS_SECONDS)  # nothing wakes us: see above

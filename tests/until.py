# SPDX-License-Identifier: Apache-2.0
"""Waits for what another process, thread or task does and tells nobody of."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable

LONGEST_SECONDS = 300.0
BETWEEN_LOOKS_SECONDS = 0.01


def until(happened: Callable[[], object]) -> None:
    """Look again and again; fails after five minutes."""
    give_up_at = time.monotonic() + LONGEST_SECONDS
    while not happened():
        assert time.monotonic() < give_up_at, "it never happened"
        time.sleep(BETWEEN_LOOKS_SECONDS)  # nothing wakes us: see above


async def until_async(happened: Callable[[], object | Awaitable[object]]) -> None:
    """Look again and again, while other tasks go on; fails after five minutes."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while True:
            seen = happened()
            if await seen if isawaitable(seen) else seen:
                return
            await asyncio.sleep(BETWEEN_LOOKS_SECONDS)

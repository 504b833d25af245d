# SPDX-License-Identifier: Apache-2.0
"""Uploads and commits over HTTP, killed at every system call, and failed by the disk at each.

What was acknowledged is there; what is there is whole; and the same request again goes through.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.asking import CHECKS, Asked, Asking
from tests.crash.killing import CALLS, Forks
from tests.registry.catalog.world import World
from tests.thorough import IS_EXHAUSTIVE, points, repeated

pytestmark = [pytest.mark.django_db(transaction=True), repeated]
FEW = 3
# Of a commit, which takes a second each; all of an upload are fewer. Others the next time.
MOST_KILLS = 120
DISK = ("write", "fsync", "rename", "mkdir")
EVERY = tuple(CHECKS)


def check(world: World, forks: Forks, asked: Asked, asking: Asking) -> None:
    """As things are, and once the same was asked again by who was told nothing, or no."""
    is_right = CHECKS[asking]
    is_right(world, asked)
    if not asked.is_acknowledged:
        forks.count(asked.order)
    assert asked.is_acknowledged, forks.said()
    is_right(world, asked)


@pytest.mark.parametrize("asking", EVERY)
def test_who_writes_is_killed_at_each_call(
    world: World, forks: Forks, tmp_path: Path, asking: Asking, met: Counter[str]
) -> None:
    first = asking(world, tmp_path, 0)
    counted = forks.count(first.order)
    assert first.is_acknowledged, forks.said()
    every = [(call, at) for call in CALLS for at in range(1, counted[call] + 1)]
    killed = 0
    if len(every) > MOST_KILLS and not IS_EXHAUSTIVE:
        every = sorted(random.sample(every, MOST_KILLS))  # pytest-randomly prints the seed
    chosen = points(every, few=FEW)
    for number, (call, at) in enumerate(chosen, start=1):
        asked = asking(world, tmp_path, number)
        killed += forks.kill_at(asked.order, call, at)
        check(world, forks, asked, asking)
    met["killed"] += killed
    # A folder that is there already saves a call: the last of a kind may not be met.
    assert killed >= len(chosen) - len(CALLS), forks.said()


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("asking", EVERY)
def test_a_disk_that_fails_once_loses_nothing(
    world: World, forks: Forks, tmp_path: Path, asking: Asking, error: str, met: Counter[str]
) -> None:
    first = asking(world, tmp_path, 0)
    counted = forks.count(first.order)
    assert first.is_acknowledged, forks.said()
    every = [(call, at) for call in DISK for at in range(1, counted[call] + 1)]
    for number, (call, at) in enumerate(points(every, few=FEW), start=1):
        asked = asking(world, tmp_path, number)
        forks.fail_once(asked.order, call, at, error)
        check(world, forks, asked, asking)
        met[error] += 1

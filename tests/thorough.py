# SPDX-License-Identifier: Apache-2.0
"""What takes long is run where ASSAY_TEST_THOROUGH is set, or where its tests were named.

`.ci/run` sets it. Three kinds of tests take long. Some repeat a test at more points: without it a
crash comes at a few points of a request, spread over the whole of it. Some wait for whole programs:
browsers, clients that others wrote, servers that are killed. Some are slow by themselves
(tests/slow.py). Of the last two a plain run has the story of tests/story and what is `essential`;
`./run test PATH` runs all that are in PATH.

The first two reach no line that the others did not: where coverage is measured a test keeps to a
few points. What is `repeated` or `thorough` then runs in full and unmeasured, which takes half the
time (tests/house/gates.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.slow import FILES

T = TypeVar("T")
Test = TypeVar("Test", bound=Callable[..., Any])

NAMED = "ASSAY_TEST_NAMED"
IS_THOROUGH = bool(os.environ.get("ASSAY_TEST_THOROUGH"))
IS_EXHAUSTIVE = bool(os.environ.get("ASSAY_TEST_EVERY"))
"""Whether a crash comes at each point of a commit, where `.ci/run` draws so many at random."""
IS_REPEATING = IS_THOROUGH and Coverage.current() is None
repeated = pytest.mark.repeated
"""For tests, or a file of them, that ask `points`, `examples` or IS_REPEATING how often."""
thorough = pytest.mark.thorough
"""For tests, or a file of them, that run only then; all of FOLDERS are, without saying so."""
slow = pytest.mark.slow
"""The same, for what is measured; the files of tests/slow.py are, without saying so."""
essential = pytest.mark.essential
"""For what of FOLDERS always runs."""
FOLDERS = ("tests/clients/", "tests/crash/", "tests/frontend/")
LONGEST = ("tests/crash/", "tests/story/", "tests/registry/api/test_hostile.py")
"""Files that run for minutes: begun first, so that no process waits at the end for one of them."""

# A test is never right or wrong by the time that it took: the machine may be at something else.
# Fixtures of a function are there once for all its examples; those that use them know.
settings.register_profile(
    "assay",
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("assay")


def pytest_configure(config: pytest.Config) -> None:
    """Notes where tests were named, for the processes that run them, too."""
    is_chosen_here = not hasattr(config, "workerinput")
    if is_chosen_here and config.args_source is pytest.Config.ArgsSource.ARGS:
        os.environ[NAMED] = "1"


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before `-m` chooses, and after the shuffle
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Marks what takes long, skips it where nobody asked for it, and says so."""
    skipped = pytest.mark.skip("takes long: run by .ci/run, and where its path is given")
    is_asked_for = IS_THOROUGH or NAMED in os.environ
    for item in items:
        if item.nodeid.startswith(FOLDERS) and not item.get_closest_marker("essential"):
            item.add_marker(thorough)
        if item.nodeid.partition("::")[0] in FILES:
            item.add_marker(slow)
        takes_long = item.get_closest_marker("thorough") or item.get_closest_marker("slow")
        if takes_long and not is_asked_for:
            item.add_marker(skipped)
    yield
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def examples(few: int, *, many: int) -> Callable[[Test], Test]:
    """So many inputs that nobody thought of; `many` where the tests are thorough."""
    counted = settings(max_examples=many if IS_REPEATING else few)
    return lambda test: repeated(counted(test))


def points(every: Sequence[T], *, few: int) -> list[T]:
    """All of them; or few, from the first to the last, each as far from the next."""
    if IS_REPEATING or len(every) <= few:
        return list(every)
    return [every[number * (len(every) - 1) // (few - 1)] for number in range(few)]

# SPDX-License-Identifier: Apache-2.0
"""What only repeats a test at more points, or for longer, is run where ASSAY_TEST_THOROUGH is set.

`.ci/run` sets it. Without it a crash comes at a few points of a request, spread over the whole of
it, and no test trains for a minute that another one trains for, too.

Repetitions reach no line that the few did not: where coverage is measured a test keeps to the few.
What is marked `repeated` or `thorough` then runs once more, in full and unmeasured, which takes
half the time (tests/house/gates.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

T = TypeVar("T")
Test = TypeVar("Test", bound=Callable[..., Any])

IS_THOROUGH = bool(os.environ.get("ASSAY_TEST_THOROUGH"))
IS_REPEATING = IS_THOROUGH and Coverage.current() is None
repeated = pytest.mark.repeated
"""For tests, or a file of them, that ask `points`, `examples` or IS_REPEATING how often."""
thorough = pytest.mark.thorough
"""For tests that run only then."""

# A test is never right or wrong by the time that it took: the machine may be at something else.
# Fixtures of a function are there once for all its examples; those that use them know.
settings.register_profile(
    "assay",
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("assay")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what is only for thorough runs, and says so."""
    skipped = pytest.mark.skip("takes long: run by .ci/run, and with ASSAY_TEST_THOROUGH=1")
    for item in items:
        if not IS_THOROUGH and item.get_closest_marker("thorough"):
            item.add_marker(skipped)


def examples(few: int, *, many: int) -> Callable[[Test], Test]:
    """So many inputs that nobody thought of; `many` where the tests are thorough."""
    counted = settings(max_examples=many if IS_REPEATING else few)
    return lambda test: repeated(counted(test))


def points(every: Sequence[T], *, few: int) -> list[T]:
    """All of them; or few, from the first to the last, each as far from the next."""
    if IS_REPEATING or len(every) <= few:
        return list(every)
    return [every[number * (len(every) - 1) // (few - 1)] for number in range(few)]

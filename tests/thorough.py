# SPDX-License-Identifier: Apache-2.0
"""What only repeats a test at more points, or for longer, is run where ASSAY_TEST_THOROUGH is set.

`.ci/run` sets it. Without it a crash comes at a few points of a request, spread over the whole of
it, and no test trains for a minute that another one trains for, too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

T = TypeVar("T")

IS_THOROUGH = bool(os.environ.get("ASSAY_TEST_THOROUGH"))
thorough = pytest.mark.skipif(
    not IS_THOROUGH, reason="takes long: run by .ci/run, and with ASSAY_TEST_THOROUGH=1"
)

# A test is never right or wrong by the time that it took: the machine may be at something else.
# Fixtures of a function are there once for all its examples; those that use them know.
settings.register_profile(
    "assay",
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("assay")


def examples(few: int, *, many: int) -> settings:
    """So many inputs that nobody thought of; `many` where the tests are thorough."""
    return settings(max_examples=many if IS_THOROUGH else few)


def points(every: Sequence[T], *, few: int) -> list[T]:
    """All of them; or few, from the first to the last, each as far from the next."""
    if IS_THOROUGH or len(every) <= few:
        return list(every)
    return [every[number * (len(every) - 1) // (few - 1)] for number in range(few)]

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

T = TypeVar("T")

IS_THOROUGH = bool(os.environ.get("ASSAY_TEST_THOROUGH"))
thorough = pytest.mark.skipif(
    not IS_THOROUGH, reason="takes long: run by .ci/run, and with ASSAY_TEST_THOROUGH=1"
)


def points(every: Sequence[T], *, few: int) -> list[T]:
    """All of them; or few, from the first to the last, each as far from the next."""
    if IS_THOROUGH or len(every) <= few:
        return list(every)
    return [every[number * (len(every) - 1) // (few - 1)] for number in range(few)]

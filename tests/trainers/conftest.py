# SPDX-License-Identifier: Apache-2.0
"""Settles torch for each of the trainers' tests: one thread, deterministic, as the commands do.

A command that a test runs in this process leaves its number of threads behind, and with another one
sums are rounded otherwise: what is compared with another process's checkpoints would differ.
"""

import pytest

from assay.trainers import runtime


@pytest.fixture(autouse=True)
def _settled() -> None:
    runtime.settle(threads=1)

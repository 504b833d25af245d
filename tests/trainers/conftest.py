# SPDX-License-Identifier: Apache-2.0
"""Settles torch for the trainers' tests: one thread, deterministic, as the commands do."""

import pytest

from assay.trainers import runtime


@pytest.fixture(autouse=True, scope="session")
def _settled() -> None:
    runtime.settle(threads=1)

# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the library's tests: a fresh throw-away registry for each."""

import pytest

from tests.signing.world import AT, World


@pytest.fixture
def world() -> World:
    """A registry with no entries yet."""
    return World.create(at=AT)

# SPDX-License-Identifier: Apache-2.0
"""Fixtures of every registry test."""

from __future__ import annotations

import pytest

from tests.registry.people import People, invite


@pytest.fixture
def people(db: None) -> People:
    """Alice owns, Bob is a member, Charlie is a stranger."""
    return invite()

# SPDX-License-Identifier: Apache-2.0
"""A registry in which nothing has happened yet: its pages say so, and ask for nothing else."""

from __future__ import annotations

import pytest

from tests.frontend.test_accessibility import LOOKS, violations
from tests.frontend.visitor import View, Visitor
from tests.running import Live


@pytest.fixture
def shown(live: Live) -> None:
    """Nothing."""


def test_axe_finds_nothing_where_there_is_nothing(visitor: Visitor, axe: str) -> None:
    found: list[str] = []
    for width, colours in LOOKS:
        page = visitor.open("/", View(colours=colours, width=width))
        for path in ("/", "/projects", "/conduct", "/ledger", "/ledger/witness"):
            page.goto(visitor.url + path)
            page.wait_for_load_state("networkidle")
            found += violations(page, axe)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path} is wider than {width} pixels")
    assert found == []

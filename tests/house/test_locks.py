# SPDX-License-Identifier: Apache-2.0
"""No two locks of the database share a number: who holds the one would wait for the other."""

from __future__ import annotations

import re
from collections import Counter

from tests.house.sources import ROOT

NUMBER = re.compile(r"^[A-Z_]+_LOCK = (0x[0-9a-f_]+)", re.MULTILINE)


def test_each_lock_has_a_number_of_its_own() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "registry").rglob("*.py")]
    found = Counter(int(each, 16) for text in sources for each in NUMBER.findall(text))
    assert len(found) >= 5
    assert set(found.values()) == {1}

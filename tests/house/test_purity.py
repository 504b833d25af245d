# SPDX-License-Identifier: Apache-2.0
"""signing/ is a pure library: clock, sockets and environment only in programs."""

import ast
from pathlib import Path

import pytest

from .sources import ROOT

# `offline` is the command for programs of others: it asks what time it is where nobody says it.
IMPURE = frozenset(
    {"bounded.py", "client", "signer", "witness", "monitor", "gateway", "commands", "offline.py"}
)
PURE = [
    path
    for path in sorted((ROOT / "signing").rglob("*.py"))
    if path.relative_to(ROOT / "signing").parts[0] not in IMPURE
]
CLOCK_AND_CHANCE = frozenset({"time", "random", "secrets", "urllib.request"})
ASKS_THE_MACHINE = frozenset({"now", "utcnow", "today", "environ", "getenv"})


def impurities(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name in CLOCK_AND_CHANCE]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found += [node.module or ""] if node.module in CLOCK_AND_CHANCE else []
        elif isinstance(node, ast.Attribute) and node.attr in ASKS_THE_MACHINE:
            found.append(node.attr)
    return found


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_of_the_library_asks_nothing_of_the_machine(path: Path) -> None:
    assert impurities(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time", ["time"]),
        ("from secrets import token_bytes", ["secrets"]),
        ("from datetime import UTC, datetime\nat = datetime.now(UTC)", ["now"]),
        ("import os\nx = os.environ", ["environ"]),
        ("from . import time", []),
    ],
)
def test_what_asks_is_seen(source: str, found: list[str]) -> None:
    assert impurities(source) == found

# SPDX-License-Identifier: Apache-2.0
"""Modules and functions stay small enough to be read at a glance (STYLE)."""

import ast
from pathlib import Path

from . import sources

MODULE_LINES = 400
FUNCTION_LINES = 50


def too_long_functions(source: str) -> list[str]:
    functions = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = ((node.name, (node.end_lineno or 0) - node.lineno + 1) for node in functions)
    return [f"{name}: {length} lines" for name, length in lengths if length > FUNCTION_LINES]


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_module_has_at_most_400_lines() -> None:
    lengths = {sources.name(path): lines_of(path) for path in sources.all_of_them()}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_a_function_has_at_most_50_lines() -> None:
    found = {
        sources.name(path): too_long_functions(path.read_text(encoding="utf-8"))
        for path in sources.in_python()
    }
    assert {name: functions for name, functions in found.items() if functions} == {}


def test_a_function_that_is_too_long_is_seen() -> None:
    source = "def long():\n" + "    pass\n" * FUNCTION_LINES
    assert too_long_functions(source) == ["long: 51 lines"]

# SPDX-License-Identifier: Apache-2.0
"""Modules and functions stay small enough to be read at a glance (STYLE)."""

import ast
from pathlib import Path

import pytest

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


def name(path: Path) -> str:
    return path.relative_to(sources.ROOT).as_posix()


@pytest.mark.parametrize("path", sources.all_of_them(), ids=name)
def test_a_module_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("path", sources.in_python(), ids=name)
def test_a_function_has_at_most_50_lines(path: Path) -> None:
    assert too_long_functions(path.read_text(encoding="utf-8")) == []


def test_a_function_that_is_too_long_is_seen() -> None:
    source = "def long():\n" + "    pass\n" * FUNCTION_LINES
    assert too_long_functions(source) == ["long: 51 lines"]

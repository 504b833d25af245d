# SPDX-License-Identifier: Apache-2.0
"""Every source file of the checkout, and the sentence with which it describes itself."""

import ast
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("signing", "registry", "trainers", "frontend", "tests", "bench", "docker")
TOP = ("toplevel.py", "run", "manage.py", ".ci/run")
SUFFIXES = frozenset({".py", ".ts", ".css", ".sh"})  # a template is described by its view
LEFT_OUT = frozenset({"node_modules", "built", "migrations", "__pycache__", "vectors", "locale"})
COMMENT_OPENING = re.compile(r"^\s*(?://|/\*+|\*|#)\s?")
COMMENT_CLOSING = re.compile(r"\s*\*/\s*$")
NOT_A_SENTENCE = re.compile(r"^(?:!|SPDX-License-Identifier|$)")
ENDS_A_SENTENCE = (".", ":", "?")


def all_of_them() -> list[Path]:
    """Found by walking: an archive of the checkout has no git to ask."""
    found = [ROOT / name for name in TOP]
    for folder in FOLDERS:
        for top, folders, files in os.walk(ROOT / folder):
            folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
            paths = [Path(top) / name for name in sorted(files)]
            found += [path for path in paths if path.suffix in SUFFIXES and path.stat().st_size]
    return found


def name(path: Path) -> str:
    """Its path in the checkout."""
    return path.relative_to(ROOT).as_posix()


def in_python() -> list[Path]:
    """Those that are Python, with `run`, which has no suffix."""
    return [path for path in all_of_them() if is_python(path)]


def is_python(path: Path) -> bool:
    """By suffix, or by the first line."""
    if path.suffix:
        return path.suffix == ".py"
    return "python" in path.read_text(encoding="utf-8").split("\n", 1)[0]


def sentence(path: Path) -> str:
    """The first line in which a file says what it is for; empty when it does not."""
    source = path.read_text(encoding="utf-8")
    if is_python(path):
        return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0].strip()
    return _first_comment(source)


def _first_comment(source: str) -> str:
    words: list[str] = []
    for line in source.splitlines():
        text = COMMENT_CLOSING.sub("", COMMENT_OPENING.sub("", line)).strip()
        if NOT_A_SENTENCE.match(text):
            continue
        if COMMENT_OPENING.match(line) is None:
            break
        words.append(text)
        if text.endswith(ENDS_A_SENTENCE):
            break
    return " ".join(words)

# SPDX-License-Identifier: Apache-2.0
"""Licences as SPDX expressions: what is none becomes a LicenseRef of its words."""

from __future__ import annotations

import re

# ABNF of SPDX 3.0.1, annex B: words of letters, digits, `.` and `-`, joined, with brackets.
_WORD = r"\(*\s*[A-Za-z0-9.-]+\+?\s*\)*"
_EXPRESSION = re.compile(rf"{_WORD}(\s+(AND|OR|WITH)\s+{_WORD})*")
_NO_WORD = re.compile(r"[^A-Za-z0-9.-]+")


def expression(licence: str) -> str:
    """The licence if it has the form of an expression; else LicenseRef- and what is left of it."""
    if _EXPRESSION.fullmatch(licence.strip()) and _is_balanced(licence):
        return licence.strip()
    return f"LicenseRef-{_NO_WORD.sub('-', licence).strip('-.') or 'unnamed'}"


def _is_balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0

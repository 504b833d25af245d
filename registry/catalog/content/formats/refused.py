# SPDX-License-Identifier: Apache-2.0
"""Refused: a file is not what its name promises; the message says what was expected and found."""

from __future__ import annotations


class Refused(Exception):
    """Raised by each format for a file that it does not accept."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found

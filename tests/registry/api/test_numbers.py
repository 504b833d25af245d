# SPDX-License-Identifier: Apache-2.0
"""Whole numbers of callers: zeros before one change nothing, and what is long costs nothing."""

from __future__ import annotations

import pytest

from registry.api.numbers import capped, whole

LONG = "9" * 100_000


@pytest.mark.parametrize(
    ("text", "within", "at_most"),
    [
        ("0", 0, 0),
        ("000", 0, 0),
        ("7", 7, 7),
        ("0000000005", 5, 5),
        ("0" * 5000 + "5", 5, 5),
        ("50", 50, 50),
        ("51", None, 50),
        ("100", None, 50),
        ("0000000051", None, 50),
        (LONG, None, 50),
        *(
            (text, None, None)
            for text in ("", "-1", "+1", "1.0", " 1", "1_0", "x", "\uff11", "\u00b2")
        ),
    ],
)
def test_a_number_is_what_its_digits_say(
    text: str, within: int | None, at_most: int | None
) -> None:
    assert (whole(text, most=50), capped(text, most=50)) == (within, at_most)

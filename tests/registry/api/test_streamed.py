# SPDX-License-Identifier: Apache-2.0
"""A streamed answer is made part by part, as it is sent."""

from __future__ import annotations

from collections.abc import Iterator

from registry.api.streamed import Streamed


async def test_no_part_is_made_before_the_one_ahead_of_it_was_taken() -> None:
    made: list[bytes] = []

    def parts() -> Iterator[bytes]:
        for part in (b"one", b"two", b"three"):
            made.append(part)
            yield part

    answer = aiter(Streamed(parts(), content_type="text/plain"))
    assert await anext(answer) == b"one"
    assert made == [b"one"]
    assert [part async for part in answer] == [b"two", b"three"]

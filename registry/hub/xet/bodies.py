# SPDX-License-Identifier: Apache-2.0
"""Bodies in pieces of a mebibyte: what servers deliver is too little to start a thread for."""

from __future__ import annotations

from collections.abc import AsyncIterator

from registry.api.numbers import capped
from registry.api.problems import TooLarge, TruncatedBody
from registry.api.wire import Disconnected, Receive, Scope, body_chunk, header

PIECE_BYTES = 1024 * 1024


async def pieces(scope: Scope, receive: Receive, *, most_bytes: int) -> AsyncIterator[bytes]:
    """The whole body; raises TooLarge, TruncatedBody or TooSlow."""
    announced = header(scope, "Content-Length") or ""
    if (capped(announced, most=most_bytes + 1) or 0) > most_bytes:
        raise TooLarge(f"expected at most {most_bytes} bytes, found {announced[:20]}")
    waiting, size_bytes, is_more = bytearray(), 0, True
    while is_more:
        try:
            chunk, is_more = await body_chunk(receive)
        except Disconnected as error:
            raise TruncatedBody(f"expected an end of the body, found {size_bytes} bytes") from error
        waiting += chunk
        size_bytes += len(chunk)
        if size_bytes > most_bytes:
            raise TooLarge(f"expected at most {most_bytes} bytes, found more")
        if len(waiting) >= PIECE_BYTES or not is_more:
            yield bytes(waiting)
            waiting.clear()

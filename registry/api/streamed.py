# SPDX-License-Identifier: Apache-2.0
"""An answer that is made while it is sent: no more of it is in memory than one of its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse


class Streamed(StreamingHttpResponse):
    """Its parts are made in the thread of the request, which may ask the database for each.

    Django itself would make all of them before it sends the first.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)
        while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
            yield part

# SPDX-License-Identifier: Apache-2.0
"""Refusals below Django, in the same words as above it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from registry.api.problems import REFUSALS
from registry.api.wire import Scope, Send, header, send_body, send_head

from .answers import PREFLIGHT
from .errors import CORS, refusal

logger = logging.getLogger(__name__)


@asynccontextmanager
async def refusing(scope: Scope, send: Send) -> AsyncIterator[None]:
    """Answers what is raised inside, before anything was sent; a fault of ours goes on."""
    try:
        yield
    except REFUSALS as error:
        is_anonymous = header(scope, "Authorization") is None
        refused = refusal(error, is_anonymous=is_anonymous)
        if refused is None:
            raise
        logger.info("%s %s: %s", scope["method"], scope["path"], error)
        length = {"Content-Length": str(len(refused.body))}
        await send_head(send, refused.status, {**refused.headers, **length})
        await send_body(send, b"" if scope["method"] == "HEAD" else refused.body)


async def preflight(send: Send) -> None:
    """What a browser asks before it sends a header of its own."""
    await send_head(send, 204, {**CORS, **PREFLIGHT})
    await send_body(send)

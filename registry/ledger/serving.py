# SPDX-License-Identifier: Apache-2.0
"""Serves the ledger's static files below Django: no database, so that what is proven stays so.

C2SP tlog-tiles, below /ledger: `checkpoint` changes with every tree head, a tile never.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from assay.signing.errors import InvalidDocument
from assay.signing.tiles import Tile
from registry.api.problems import NotFound, Problem
from registry.api.wire import Application, Receive, Scope, Send, send_body, send_head, send_problem
from registry.storage.errors import WrongMethod

from . import folder

# The second is where clients of Rekor v2 read the log.
PREFIXES = ("/ledger/", "/api/v2/")
YEAR_SECONDS = 365 * 24 * 3600
CHECKPOINT_HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-cache",
}
TILE_HEADERS = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFiles:
    """Answers the addresses of the ledger's files; everything else goes on to `inner`."""

    inner: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        path = scope["path"] if scope["type"] == "http" else ""
        below = next((path.removeprefix(each) for each in PREFIXES if path.startswith(each)), "")
        if below != folder.CHECKPOINT and not below.startswith("tile/"):
            await self.inner(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        try:
            headers, data = await asyncio.to_thread(_answer, scope["method"], below)
        except Problem as problem:
            await send_problem(send, problem, is_head=is_head)
            return
        await send_head(send, 200, {**headers, "Content-Length": str(len(data))})
        await send_body(send, b"" if is_head else data)


def _answer(method: str, path: str) -> tuple[dict[str, str], bytes]:
    if method not in {"GET", "HEAD"}:
        allowed = "GET, HEAD"
        raise WrongMethod(f"expected {allowed}, found {method[:20]}", headers={"Allow": allowed})
    headers = CHECKPOINT_HEADERS if path == folder.CHECKPOINT else TILE_HEADERS
    if path != folder.CHECKPOINT:
        _check_path(path)
    data = folder.read(path)
    if data is None:
        raise NotFound(f"expected a file of the newest tree head, found none at {path}")
    return headers, data


def _check_path(path: str) -> None:
    """Only what is the path of a tile ever reaches the disk."""
    try:
        Tile.parse(path)
    except InvalidDocument as error:
        raise NotFound(str(error)) from error

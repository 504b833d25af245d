# SPDX-License-Identifier: Apache-2.0
"""Sends a blob: conditional, one range, 1 MiB at a time, and no longer than somebody listens.

Where nginx stands in front and reads blobs itself (ASSAY_BLOBS_LOCATION, docker/blobs.conf), it is
told which one to send: the bytes pass through no program of ours. What may be read was decided
before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from django.conf import settings
from django.utils.http import content_disposition_header

from registry.api.wire import BrokenOff, Receive, Scope, Send, header, send_body, send_head

from . import services
from .ranges import Span, span_of

# Measured: 2.1 GB/s with 1 MiB reads in a thread; Django's FileResponse reaches 1.2.
READ_BYTES = 1024 * 1024
# What an uploaded file may do in a browser: nothing (it may be HTML or SVG, whatever its name).
CONFINED = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Type": "application/octet-stream",
    "Accept-Ranges": "bytes",
    # Ask again each time: the bytes never change, but who may read them does.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A blob that the caller may read, and the name it is saved under."""

    sha256: str
    size_bytes: int
    name: str
    tag: str = ""
    """By which its clients know it, if not by its SHA-256; it has to name these bytes alone."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What else the answer carries."""
    begun: Callable[[], None] = lambda: None
    """Called in the event loop when the first bytes are about to be sent."""

    @property
    def etag(self) -> str:
        """Strong, because it is a digest."""
        return f'"{self.tag or self.sha256}"'


async def send_blob(scope: Scope, receive: Receive, send: Send, download: Download) -> None:
    """Answers GET or HEAD; raises UnsatisfiableRange or BlobLost before anything is sent."""
    is_head = scope["method"] == "HEAD"
    headers = {**CONFINED, **download.headers, "ETag": download.etag}
    if _has_it(header(scope, "If-None-Match"), download.etag):
        await send_head(send, 304, headers)
        await send_body(send)
        return
    span = span_of(None if is_head else _range(scope, download), size_bytes=download.size_bytes)
    headers["Content-Length"] = str(span.length_bytes)
    headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=download.name) or "attachment"
    )
    if span.is_partial:
        headers["Content-Range"] = span.content_range
    with await asyncio.to_thread(services.open_blob, download.sha256) as file:
        if (location := _location()) and not is_head:
            if span.is_a_download:
                download.begun()
            del headers["Accept-Ranges"]  # which it says itself, as it answers ranges
            await send_head(send, 200, {**headers, **_elsewhere(location, download)})
            await send_body(send)
            return
        await send_head(send, 206 if span.is_partial else 200, headers)
        if not is_head:
            if span.is_a_download:
                download.begun()
            async with _departure(receive) as departed:
                await _pump(file, span, send, departed)
        await send_body(send)


async def _pump(file: BinaryIO, span: Span, send: Send, departed: asyncio.Task[None]) -> None:
    file.seek(span.start)
    left = span.length_bytes
    while left and not departed.done():
        chunk = await asyncio.to_thread(file.read, min(READ_BYTES, left))
        if not chunk:
            # The head is sent: the only honest way left to say so is to break the connection off.
            raise BrokenOff(f"expected {left} more bytes of {file.name}")
        left -= len(chunk)
        await send_body(send, chunk, more=True)


@asynccontextmanager
async def _departure(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is done once the caller has gone: servers let us send to nobody for ever."""

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.ensure_future(wait())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _range(scope: Scope, download: Download) -> str | None:
    """The Range header, unless If-Range names other bytes than these (a date never does)."""
    condition = header(scope, "If-Range")
    if condition is not None and condition.strip() != download.etag:
        return None
    return header(scope, "Range")


def _location() -> str:
    """Where the proxy in front reads the folder of blobs; empty where it does not, or is none."""
    return "" if settings.BUCKET else settings.BLOBS_LOCATION


def _elsewhere(location: str, download: Download) -> Mapping[str, str]:
    """What tells the proxy to send the bytes."""
    return {
        "X-Accel-Redirect": f"{location}{download.sha256[:2]}/{download.sha256}",
        "Content-Length": "0",
    }


def _has_it(condition: str | None, etag: str) -> bool:
    if condition is None:
        return False
    known = {one.strip().removeprefix("W/") for one in condition.split(",")}
    return "*" in known or etag in known

# SPDX-License-Identifier: Apache-2.0
"""Receives a blob: bytes are hashed and written as they arrive, and kept only if all is right."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from registry.api.wire import Disconnected, Receive, Scope, body_chunk, header

from .bucket import Unreachable
from .errors import BlobTooLarge, LengthRequired, NoSpace, StorageUnavailable, TruncatedUpload
from .files import Part
from .space import check_room

# What huggingface_hub fetches by plain HTTP (MAX_HTTP_DOWNLOAD_SIZE): what is larger could be
# published, and not be had. Single files of open models are shards of about 10 GB.
MAX_BLOB_BYTES = 50 * 1000**3
# Gathered before a thread hashes and writes: servers deliver 16 to 64 KiB at a time.
WRITE_BYTES = 1024 * 1024

# How often a running upload is asked whether it may still be kept: once in a few seconds.
ASK_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What an upload asks of those who know the caller."""

    admit: Callable[[], Awaitable[None]]
    """Raises a Problem if the blob could not be kept, as things are now."""
    keep: Callable[[Part], Awaitable[None]]
    """Makes a part that is as announced a blob."""


def announced_size(scope: Scope) -> int:
    """What Content-Length says; raises LengthRequired or BlobTooLarge."""
    value = header(scope, "Content-Length") or ""
    if not (value.isascii() and value.isdigit()):
        raise LengthRequired("expected a Content-Length")
    if len(value) > len(str(MAX_BLOB_BYTES)) or int(value) > MAX_BLOB_BYTES:
        raise BlobTooLarge(f"expected at most {MAX_BLOB_BYTES} bytes, found {value[:30]}")
    return int(value)


async def receive_blob(receive: Receive, asking: Asking, *, sha256: str, size_bytes: int) -> None:
    """Durably stores the body as the blob with this digest, or leaves nothing behind.

    Raises DigestMismatch, TruncatedUpload, NoSpace, QuotaExceeded or TooSlow.
    """
    await asking.admit()
    await asyncio.to_thread(check_room, size_bytes)
    with room(), await asyncio.to_thread(Part) as part:
        await _fill(part, receive, asking, size_bytes)
        part.check(sha256=sha256, size_bytes=size_bytes)
        await asking.keep(part)


async def receive_part(receive: Receive, asking: Asking, *, size_bytes: int) -> None:
    """The same of one part of a blob, of which nothing is known but how long it is."""
    await asking.admit()
    await asyncio.to_thread(check_room, size_bytes)
    with room(), await asyncio.to_thread(Part) as part:
        await _fill(part, receive, asking, size_bytes)
        if part.size_bytes != size_bytes:
            raise TruncatedUpload(f"expected {size_bytes} bytes, found {part.size_bytes}")
        await asking.keep(part)


@contextmanager
def room() -> Iterator[None]:
    """A full disk, or a bucket that is away, is the caller's to know, and no fault of a program."""
    try:
        yield
    except Unreachable as error:
        raise StorageUnavailable(f"{error}; try again later") from error
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise NoSpace(
            "expected room on the registry's disk, found none; try again later"
        ) from error


async def _fill(part: Part, receive: Receive, asking: Asking, size_bytes: int) -> None:
    waiting, is_more, ask_at = bytearray(), True, ASK_BYTES
    while is_more:
        try:
            chunk, is_more = await body_chunk(receive)
        except Disconnected as error:
            # Told all the same: who closed only their half of the connection still listens.
            found_bytes = part.size_bytes + len(waiting)
            raise TruncatedUpload(f"expected {size_bytes} bytes, found {found_bytes}") from error
        waiting += chunk
        if part.size_bytes + len(waiting) > size_bytes:
            raise TruncatedUpload(f"expected {size_bytes} bytes, found more")
        if len(waiting) >= WRITE_BYTES or not is_more:
            await asyncio.to_thread(_write, part, bytes(waiting))
            waiting.clear()
        if part.size_bytes >= ask_at:
            await asking.admit()
            ask_at += ASK_BYTES


def _write(part: Part, chunk: bytes) -> None:
    """Asks for room each time: others write too, and what this one announced is not set aside."""
    check_room(len(chunk))
    part.write(chunk)

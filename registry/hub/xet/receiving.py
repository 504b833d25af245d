# SPDX-License-Identifier: Apache-2.0
"""`POST /api/xet/v1/xorbs/default/{hash}`, and the small routes around it, below Django.

Who sends is known before a byte is read. A xorb is unpacked and hashed as it comes, so that its
bytes are in memory a mebibyte at a time, and what is none leaves nothing.
"""

from __future__ import annotations

import asyncio
import json
import re

from django.db import transaction
from django.utils import timezone

from registry.accounts import staying
from registry.accounts.queries import Token
from registry.api.problems import NotFound
from registry.api.wire import Receive, Scope, Send, header, send_body, send_head
from registry.storage import services as storage
from registry.storage.files import Part
from registry.storage.streams import ask
from registry.storage.upload import room

from ..errors import CORS
from ..raw import Route
from . import hashes, index, tokens
from .bodies import pieces
from .granting import PREFIX
from .tokens import Pass
from .xorbs import MAX_XORB_BYTES, Reader

XORB = re.compile(re.escape(PREFIX) + r"/v1/xorbs/default/[^/]*")
CHUNK = re.compile(re.escape(PREFIX) + r"/v1/chunks/[^/]+/[^/]*")
GRANT = re.compile(re.escape(PREFIX) + r"/v1/xorb-grants/[^/]+/[^/]*")
TELEMETRY = "/v1/telemetry"  # at the root: clients forget the path that they were given
MAX_TELEMETRY_BYTES = 1024 * 1024


def given(scope: Scope) -> Pass:
    """What the caller's token says; raises XetTokenRefused."""
    return tokens.take(header(scope, "Authorization"))


async def say(send: Send, body: object) -> None:
    """200 and a document."""
    encoded = json.dumps(body).encode()
    length = {"Content-Type": "application/json", "Content-Length": str(len(encoded))}
    await send_head(send, 200, {**CORS, **length})
    await send_body(send, encoded)


async def _take_xorb(scope: Scope, receive: Receive, send: Send) -> None:
    token = await ask(tokens.writer, given(scope))
    xorb, reader = hashes.read(scope["path"].rpartition("/")[2]), Reader()
    # How long it will be is not known yet; this refuses those for whom nothing at all is left.
    await ask(storage.admit, storage.staged(token.actor), xorb.hex(), size_bytes=1)
    with room(), await asyncio.to_thread(Part) as part:
        async for piece in pieces(scope, receive, most_bytes=MAX_XORB_BYTES):
            await asyncio.to_thread(_unpack, reader, piece, part)
        await asyncio.to_thread(reader.end, xorb)
        was_inserted = await ask(_keep, part, reader, xorb, token)
    await say(send, {"was_inserted": was_inserted})


def _unpack(reader: Reader, piece: bytes, part: Part) -> None:
    for chunk in reader.feed(piece):
        storage.check_room(len(chunk))
        part.write(chunk)


def _keep(part: Part, reader: Reader, xorb: bytes, token: Token) -> bool:
    """Whether this sender had not sent it before: what others sent, nobody is told."""
    with transaction.atomic():
        staying.hold_token(token)
        name, now = hashes.written(xorb), timezone.now()
        return index.add(token.actor, name, reader.chunks, part, now=now)


async def _not_shared(scope: Scope, _receive: Receive, _send: Send) -> None:
    """What others sent is nobody's to build on; and there is nowhere else to send it to."""
    given(scope)
    raise NotFound("expected chunks and addresses that are shared; there are none: send the bytes")


async def _swallow(scope: Scope, receive: Receive, send: Send) -> None:
    """What clients tell of their machines is read by nobody."""
    async for _ in pieces(scope, receive, most_bytes=MAX_TELEMETRY_BYTES):
        pass
    await send_head(send, 204, CORS)
    await send_body(send)


def _is_xorb(path: str) -> bool:
    return XORB.fullmatch(path) is not None


def _is_chunk(path: str) -> bool:
    return CHUNK.fullmatch(path) is not None


def _is_grant(path: str) -> bool:
    return GRANT.fullmatch(path) is not None


def _is_telemetry(path: str) -> bool:
    return path == TELEMETRY


ROUTES = (
    Route(is_ours=_is_xorb, answers={"POST": _take_xorb}),
    Route(is_ours=_is_chunk, answers={"GET": _not_shared}),
    Route(is_ours=_is_grant, answers={"POST": _not_shared}),
    Route(is_ours=_is_telemetry, answers={"POST": _swallow}),
)

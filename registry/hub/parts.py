# SPDX-License-Identifier: Apache-2.0
"""Large files in numbered parts, as the Hub's clients send them (`transfer: multipart`).

`PUT /api/lfs/parts/{grant}` takes one part and answers its ETag; `POST /api/lfs/parts/{grant}`, at
the address that has no number, makes them one file. Both authorise by themselves: clients send no
token there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from weakref import WeakValueDictionary

from django.db import close_old_connections, transaction

from registry.accounts import staying
from registry.accounts.queries import Token
from registry.api.problems import TooLarge, TruncatedBody
from registry.api.wire import Disconnected, Receive, Scope, Send, body_chunk, send_body, send_head
from registry.storage import assembling
from registry.storage import services as storage
from registry.storage.assembling import Assembly
from registry.storage.errors import DigestMismatch, PartMissing, TruncatedUpload
from registry.storage.files import Part
from registry.storage.streams import ask
from registry.storage.upload import Asking, announced_size, receive_part

from . import grants
from .bodies import parsed, text
from .errors import CORS
from .grants import WHOLE, Grant, GrantRefused
from .raw import Route

PREFIX = "/api/lfs/parts/"
# Below it, what a broken connection loses is soon sent again, and one request is enough.
MULTIPART_ABOVE = 2 * assembling.PART_BYTES
MAX_BODY_BYTES = 64 * 1024  # 256 parts' numbers and ETags
MAX_ADDRESSES = 16 * assembling.MAX_PARTS  # in one answer: the clients ask for a file at a time
# At once: each reads, hashes and writes a file for minutes, in threads that all uploads share.
MAX_JOINING = 2
_joining = asyncio.Semaphore(MAX_JOINING)
_turns: WeakValueDictionary[Assembly, asyncio.Lock] = WeakValueDictionary()
"""Of files that are being joined: for as long as somebody waits for one."""


def assembly_of(token: Token, *, sha256: str, size_bytes: int) -> Assembly:
    """In whose name a file is sent."""
    return Assembly(holder=token.actor, sha256=sha256, size_bytes=size_bytes)


def check_few(sizes: Iterable[int]) -> None:
    """Raises TooLarge where one answer would hold more addresses than anybody needs at once."""
    large = (size for size in sizes if size > MULTIPART_ABOVE)
    found = sum(min(-(-size // assembling.PART_BYTES), assembling.MAX_PARTS) for size in large)
    if found > MAX_ADDRESSES:
        raise TooLarge(f"expected files of at most {MAX_ADDRESSES} parts together, found {found}")


def addresses(token: Token, assembly: Assembly) -> tuple[str, Mapping[str, str]]:
    """The path that makes the parts one, and each part's, by number as clients expect them."""

    def path(number: int) -> str:
        grant = grants.give_part(
            token, sha256=assembly.sha256, size_bytes=assembly.size_bytes, number=number
        )
        return PREFIX + grant

    numbers = range(1, assembly.count + 1)
    return path(WHOLE), {f"{number:05}": path(number) for number in numbers}


async def _put(scope: Scope, receive: Receive, send: Send) -> None:
    """What was granted, how long it is, then the bytes; it is there once all of them are."""
    grant = await ask(grants.take_part, scope["path"].removeprefix(PREFIX))
    assembly = _assembly(grant)
    if not 1 <= grant.number <= assembly.count:
        raise GrantRefused("expected an address of one part, found that of the whole")
    expected, announced = assembly.length(grant.number), announced_size(scope)
    if announced != expected:
        raise TruncatedUpload(f"expected {expected} bytes, found {announced} announced")
    etag = ""

    async def admit() -> None:
        await ask(_admit, assembly)

    async def keep(part: Part) -> None:
        nonlocal etag
        await ask(_put_aside, grant, part)
        etag = part.sha256

    await receive_part(receive, Asking(admit=admit, keep=keep), size_bytes=expected)
    await send_head(send, 200, {**CORS, "ETag": f'"{etag}"', "Content-Length": "0"})
    await send_body(send)


def _admit(assembly: Assembly) -> None:
    """What is whole already needs no room: who sends it at the same time is told no less."""
    if not storage.holds(assembly.holder, assembly.sha256):
        storage.admit(assembly.holder, assembly.sha256, size_bytes=assembly.size_bytes)


def _put_aside(grant: Grant, part: Part) -> None:
    """The bytes took their time: who left meanwhile has sent nothing."""
    with transaction.atomic():
        staying.hold_token(grant.token)
        assembling.put(_assembly(grant), grant.number, part)


async def _complete(scope: Scope, receive: Receive, send: Send) -> None:
    """All of its parts, each with the ETag that it was answered with; said twice, it is done once.

    Whoever says it while it is being done waits for that.
    """
    grant = await ask(grants.take_part, scope["path"].removeprefix(PREFIX))
    if grant.number != WHOLE:
        raise GrantRefused("expected the address of the whole, found that of one part")
    body = await _body(receive)
    assembly, etags = _assembly(grant), _etags(grant, parsed(body))
    turn = _turns.setdefault(assembly, asyncio.Lock())
    async with turn:
        if not await ask(storage.holds, assembly.holder, assembly.sha256):
            await _join(assembly, etags, grant.token)
    await send_head(send, 200, {**CORS, "Content-Type": "application/json", "Content-Length": "2"})
    await send_body(send, b"{}")


async def _join(assembly: Assembly, etags: Sequence[str], token: Token) -> None:
    """In a thread that has no connection while it hashes, which may take minutes."""

    def keep(part: Part) -> None:
        try:
            with transaction.atomic():
                staying.hold_token(token)
                storage.keep(part, holder=assembly.holder)
                assembling.drop(assembly.parts)
        finally:
            close_old_connections()

    async with _joining:
        found = await ask(assembling.paths, assembly, etags)
        try:
            await asyncio.to_thread(assembling.join, assembly, found, keep=keep)
        except DigestMismatch:  # one of them has to come again, and nobody knows which
            await ask(_drop, assembly)
            raise


def _drop(assembly: Assembly) -> None:
    with transaction.atomic():
        assembling.drop(assembly.parts)


def _etags(grant: Grant, document: Mapping[str, object]) -> list[str]:
    if text(document, "oid") != grant.sha256:
        raise GrantRefused("expected the object that the address was given for, found another")
    listed = document.get("parts")
    found: list[str] = []
    for number, each in enumerate(listed if isinstance(listed, list) else (), 1):
        match each:
            case {"partNumber": int(given), "etag": str(etag)} if given == number:
                found.append(etag.strip('"'))
            case _:
                raise PartMissing(
                    f"expected part {number} next, with its number and ETag, found something else"
                )
    return found


async def _body(receive: Receive) -> bytes:
    found, is_more = b"", True
    while is_more:
        try:
            chunk, is_more = await body_chunk(receive)
        except Disconnected as error:
            raise TruncatedBody(f"expected an end of the body, found {len(found)} bytes") from error
        found += chunk
        if len(found) > MAX_BODY_BYTES:
            raise TooLarge(f"expected at most {MAX_BODY_BYTES} bytes, found more")
    return found


def _assembly(grant: Grant) -> Assembly:
    return assembly_of(grant.token, sha256=grant.sha256, size_bytes=grant.size_bytes)


def _is_ours(path: str) -> bool:
    return path.startswith(PREFIX)


ROUTE = Route(is_ours=_is_ours, answers={"PUT": _put, "POST": _complete})

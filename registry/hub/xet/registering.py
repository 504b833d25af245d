# SPDX-License-Identifier: Apache-2.0
"""`POST /api/xet/v{1,2}/shards`: files are rebuilt out of what was sent, and kept all or none.

Who may not send, and what is no shard, is refused by a status; so is all else by the first version.
The second one's answer is a stream that says how far it is, and ends with what became of it. People
see the message of its last line; of a refusal by status, clients show them the number alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http import HTTPStatus

from django.db import transaction

from registry.accounts import staying
from registry.accounts.queries import Token
from registry.api.problems import AWAY, REFUSALS
from registry.api.wire import Receive, Scope, Send, send_body, send_head
from registry.storage import services as storage
from registry.storage.errors import BlobLost
from registry.storage.files import Part
from registry.storage.streams import ask
from registry.storage.upload import room

from ..errors import CORS, refusal
from ..raw import Route
from . import index, planning, shards, tokens
from .bodies import pieces
from .granting import PREFIX
from .planning import Build
from .rebuilding import rebuild
from .receiving import given, say
from .shards import MAX_SHARD_BYTES, ShardFile
from .tokens import Pass

logger = logging.getLogger(__name__)

FIRST, SECOND = f"{PREFIX}/v1/shards", f"{PREFIX}/v2/shards"
DONE = 1  # "registered"; clients take any number for success
TRIES = 3  # what was released meanwhile is in files, and found there
SAY_EVERY_SECONDS = 5  # proxies close what is silent for a minute


@dataclass(slots=True, kw_only=True)
class Work:
    """A shard's files on their way, and how far they are."""

    by: Pass
    token: Token
    files: tuple[ShardFile, ...]
    done_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)

    async def run(self) -> None:
        """Check each claim, rebuild, compare, keep; raises what there is to refuse."""
        if not self.files:
            return
        for _ in range(TRIES - 1):
            with suppress(BlobLost):
                await self._make()
                break
        else:
            await self._make()
        try:
            await ask(index.drop_released, self.token.actor)
        except AWAY as error:
            logger.warning("what is stored twice is left to the sweep: %s", error)

    async def _make(self) -> None:
        """Raises BlobLost too where another shard released what this one was to be made of."""
        self.done_bytes, builds = 0, await ask(self._builds)
        with room(), ExitStack() as stack:
            parts = [stack.enter_context(await self._rebuilt(build)) for build in builds]
            await ask(self._keep, parts, builds)

    def _builds(self) -> list[Build]:
        sizes = {file.sha256: file.size_bytes for file in self.files}
        storage.admit_all(self.token.actor, sizes)
        storage.check_room(sum(sizes.values()))
        return planning.builds(self.token.actor, self.files)

    async def _rebuilt(self, build: Build) -> Part:
        part = await asyncio.to_thread(Part)
        try:
            async for done_bytes in rebuild(build, part):
                self.done_bytes += done_bytes
        except BaseException:
            part.close()
            raise
        return part

    def _keep(self, parts: Sequence[Part], builds: Sequence[Build]) -> None:
        """All that was true when it began is asked again, and holds until it is kept."""
        with transaction.atomic():
            staying.hold_token(self.token)
            tokens.writer(self.by)
            storage.keep_all(parts, holder=self.token.actor)
            index.gain(self.token.actor, [each for build in builds for each in build.gained])


async def _register(scope: Scope, receive: Receive, send: Send) -> None:
    work = await _received(scope, receive)
    await work.run()
    await say(send, {"result": DONE})


async def _register_streamed(scope: Scope, receive: Receive, send: Send) -> None:
    work = await _received(scope, receive)
    running = asyncio.ensure_future(work.run())
    try:
        await send_head(send, 200, {**CORS, "Content-Type": "application/x-ndjson"})
        while not await _ends(running):
            line = {"type": "validating", "verified": work.done_bytes, "total": work.size_bytes}
            await _say_line(send, line)
        await _say_line(send, _outcome(running))
        await send_body(send)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _received(scope: Scope, receive: Receive) -> Work:
    """Who, then all of the shard."""
    by = given(scope)
    token = await ask(tokens.writer, by)
    with room(), await asyncio.to_thread(Part) as body:
        async for piece in pieces(scope, receive, most_bytes=MAX_SHARD_BYTES):
            await asyncio.to_thread(_write, body, piece)
        files = await asyncio.to_thread(_read, body)
    return Work(by=by, token=token, files=files)


def _write(body: Part, piece: bytes) -> None:
    storage.check_room(len(piece))
    body.write(piece)


def _read(body: Part) -> tuple[ShardFile, ...]:
    with body.open() as source:
        return shards.read(source)


async def _ends(running: asyncio.Future[None]) -> bool:
    done, _ = await asyncio.wait((running,), timeout=SAY_EVERY_SECONDS)
    return bool(done)


def _outcome(running: asyncio.Future[None]) -> dict[str, object]:
    """The last line; a fault of ours is in our log, and may pass."""
    error = running.exception()
    if error is None:
        return {"type": "result", "result": DONE}
    refused = refusal(error, is_anonymous=False) if isinstance(error, REFUSALS) else None
    if refused is None:
        logger.error("a shard was not registered", exc_info=error)
        return {"type": "error", "message": "the registry failed; try again", "retryable": True}
    logger.info("a shard was refused: %s", error)
    return {
        "type": "error",
        "message": refused.headers["X-Error-Message"],
        "retryable": refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        "code": json.loads(refused.body)["code"],
    }


async def _say_line(send: Send, line: dict[str, object]) -> None:
    await send_body(send, json.dumps(line).encode() + b"\n", more=True)


def _is_first(path: str) -> bool:
    return path == FIRST


def _is_second(path: str) -> bool:
    return path == SECOND


ROUTES = (
    Route(is_ours=_is_first, answers={"POST": _register}),
    Route(is_ours=_is_second, answers={"POST": _register_streamed}),
)

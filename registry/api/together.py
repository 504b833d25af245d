# SPDX-License-Identifier: Apache-2.0
"""What is asked at about the same time, done together: the first alone, then all that came since.

Whoever waits for somebody else's turn shares the next one. Where few came in its second half, the
next is held back until those who were answered just now are there as well, for a fourth of what
their turn took at most: under load they ask again at once, and else there would be two halves that
wait for each other's turns, for ever. Where they come by themselves, and whoever asks alone, wait
for no company. One turn at a time: two would wait for each other's locks. One thread has them all,
and keeps its connection from one turn to the next: another would be cold. It is given back where
nobody has come by the end of a turn, and of the pause behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from django.db import connection, connections

logger = logging.getLogger(__name__)

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")
Result = TypeVar("Result")

HELD_BACK = 1 / 4  # of a turn: more than 64 programs need to read their answers and to ask again
ENOUGH = 1 / 4  # of a turn: so many come late in it only by themselves, and not in another's wake


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting(Generic[Asked, Answered]):
    """One that was asked and has no answer yet, since a moment of the loop's clock."""

    asked: Asked
    answer: asyncio.Future[Answered]
    since: float


class Together(Generic[Asked, Answered]):
    """Hands whatever waits to `do`, in a thread: it answers each, in their order.

    What it raises, everybody in that turn is told. Whoever goes away while they wait changes
    nothing for the others, and what they asked is done.
    """

    def __init__(self, do: Callable[[Sequence[Asked]], Sequence[Answered]], *, most: int) -> None:
        self._do = do
        self._most = most
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="together")
        self._waiting: list[_Waiting[Asked, Answered]] = []
        self._came = asyncio.Event()
        self._turns: asyncio.Task[None] | None = None

    async def ask(self, one: Asked) -> Answered:
        """The answer to one, in its turn."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answered] = loop.create_future()
        self._waiting.append(_Waiting(asked=one, answer=answer, since=loop.time()))
        self._came.set()
        if self._turns is None:
            self._turns = loop.create_task(self._take_turns())
        return await answer

    async def _take_turns(self) -> None:
        now = asyncio.get_running_loop().time
        try:
            while self._waiting or await self._rest():
                turn, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                began = now()
                await self._take(turn)
                took = now() - began
                late = sum(each.since > began + took / 2 for each in self._waiting)
                if late < len(turn) * ENOUGH:
                    wanted = min(len(turn) + len(self._waiting), self._most)
                    await self._hold_back(wanted, took * HELD_BACK)
        finally:
            self._turns = None

    async def _rest(self) -> bool:
        """Give the connection back, as nobody waits; whether somebody does by then."""
        try:
            await self._in_thread(connections.close_all)
        except Exception:  # whoever came meanwhile must have a turn all the same
            logger.exception("a connection of the database could not be given back")
        return bool(self._waiting)

    async def _hold_back(self, wanted: int, seconds: float) -> None:
        """Until so many wait, or so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self._waiting) < wanted:
                    self._came.clear()
                    await self._came.wait()

    async def _take(self, turn: Sequence[_Waiting[Asked, Answered]]) -> None:
        taking = self._in_thread(self._done, [each.asked for each in turn])
        (taken,), _ = await asyncio.wait((asyncio.ensure_future(taking),))
        error = taken.exception()
        for at, answer in enumerate(each.answer for each in turn):
            if answer.done():  # whoever asked has gone
                continue
            if error is None:
                answer.set_result(taken.result()[at])
            else:
                answer.set_exception(error)

    def _done(self, turn: Sequence[Asked]) -> Sequence[Answered]:
        if connection.connection is not None and not connection.is_usable():
            connections.close_all()  # PostgreSQL was started anew since the turn before
        return self._do(turn)

    async def _in_thread(self, do: Callable[..., Result], *given: object) -> Result:
        """In the thread of all turns, with what its caller has set for the context."""
        run = partial(copy_context().run, do, *given)
        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

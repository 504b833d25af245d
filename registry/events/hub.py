# SPDX-License-Identifier: Apache-2.0
"""The one connection of this process that LISTENs, and the queues it fills.

It is opened for the first follower and closed after the last. When it breaks, every stream ends:
followers come back with Last-Event-ID, and what they missed is replayed from the table.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from weakref import WeakKeyDictionary

import psycopg
from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections

from . import queries
from .queries import Happening
from .services import CHANNEL

logger = logging.getLogger(__name__)

# A follower that is this far behind is dropped, and catches up from the table when it comes back.
QUEUE_EVENTS = 256
MAX_FOLLOWERS = 2_000


class Ended(Exception):
    """No more events will come on this subscription."""


class Subscription:
    """One follower's queue of the events of some topics."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.topics = frozenset(topics)
        self._queue: asyncio.Queue[Happening | None] = asyncio.Queue(QUEUE_EVENTS)
        self._has_ended = False

    async def next(self) -> Happening:
        """The next event; raises Ended once there will be none."""
        happening = None
        if not (self._has_ended and self._queue.empty()):
            happening = await self._queue.get()
        if happening is None:
            raise Ended
        return happening

    def tell(self, happening: Happening) -> None:
        """Queues an event; a follower that does not keep up gets what is queued, then the end."""
        if happening.topic not in self.topics or self._has_ended:
            return
        try:
            self._queue.put_nowait(happening)
        except asyncio.QueueFull:
            self.end()

    def end(self) -> None:
        """Wakes the follower up to see that this is the end (one with a full queue is awake)."""
        self._has_ended = True
        if self._queue.empty():
            self._queue.put_nowait(None)


class Line:
    """One LISTENing connection and those who follow by it."""

    def __init__(self) -> None:
        self.followers: set[Subscription] = set()
        self.is_open = asyncio.Event()
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async with await psycopg.AsyncConnection.connect(_address(), autocommit=True) as line:
                await line.execute(f"LISTEN {CHANNEL}")
                self.is_open.set()
                async for notice in line.notifies():
                    await self._tell_all(notice.payload)
        except psycopg.Error as error:
            logger.warning("the events connection broke, followers will come back: %s", error)
        finally:
            for follower in self.followers:
                follower.end()
            self.is_open.set()  # nobody waits for a line that will never open

    async def _tell_all(self, payload: str) -> None:
        announcement = json.loads(payload)
        interested = [one for one in self.followers if announcement["topic"] in one.topics]
        if not interested:
            return
        happening = await _happening(announcement)
        if happening is not None:
            for follower in interested:
                follower.tell(happening)


class Hub:
    """All followers of one event loop: in production, of the process."""

    def __init__(self) -> None:
        self._line: Line | None = None

    @property
    def is_full(self) -> bool:
        """That one more follower would be too many."""
        return self._line is not None and len(self._line.followers) >= MAX_FOLLOWERS

    async def follow(self, topics: Iterable[str]) -> Subscription:
        """A subscription that hears every event committed from now on."""
        if self._line is None or self._line.task.done():
            self._line = Line()
        line, subscription = self._line, Subscription(topics)
        line.followers.add(subscription)
        await line.is_open.wait()
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forgets a follower; the last one closes the line."""
        if self._line is None:
            return
        self._line.followers.discard(subscription)
        if not self._line.followers:
            self._line.task.cancel()
            self._line = None


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


async def _happening(announcement: dict[str, object]) -> Happening | None:
    """From the announcement itself, or from the table where it was too large to announce."""
    match announcement:
        case {"id": int(number), "topic": str(topic), "kind": str(kind), "data": dict(data)}:
            return Happening(id=number, topic=topic, kind=kind, data=data)
        case {"id": int(number)}:
            return await sync_to_async(_load, thread_sensitive=False)(number)
        case _:
            logger.error("an announcement on %s is not ours: %r", CHANNEL, announcement)
            return None


def _load(event_id: int) -> Happening | None:
    try:
        return queries.event(event_id)
    finally:
        close_old_connections()


def _address() -> str:
    """Django's database as libpq takes it: a connection of our own, outside the pool."""
    database = connections[DEFAULT_DB_ALIAS].settings_dict
    parts = {
        "dbname": database["NAME"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "host": database["HOST"],
        "port": database["PORT"],
        **{key: value for key, value in database["OPTIONS"].items() if isinstance(value, str)},
    }
    return psycopg.conninfo.make_conninfo(**{key: value for key, value in parts.items() if value})

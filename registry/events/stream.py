# SPDX-License-Identifier: Apache-2.0
"""`GET /events?topics=run:ID,…`: server-sent events, with what a lost connection missed first.

`Last-Event-ID` (a browser sends it by itself), or `?after=ID` for a page that was rendered up to
there, says where to go on; without either, only new events are told. What is hidden from whom is
for the app above to say that knows what the topics are about; a hidden one is as silent as one that
there is not.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from registry.api.problems import Document, Problem

from . import queries
from .errors import InvalidTopics, TooManyFollowers
from .hub import Ended, Hub, Subscription, hub
from .queries import Happening

HEARTBEAT_SECONDS = 15
RETRY_MILLISECONDS = 2_000
REPLAY_EVENTS = 500
MAX_TOPICS = 20
LOOK_SECONDS = 5.0  # how long what was made private is still told to who followed it before
_TOPIC = re.compile(r"[a-z]{1,20}:[A-Za-z0-9._-]{1,90}")
_NUMBER = re.compile(r"[0-9]{1,18}")


Hides = Callable[[frozenset[str]], frozenset[str]]
"""Which of these topics whoever asks may not hear, at this moment. It may use the database."""


class Sight:
    """What one follower may hear, asked anew now and then: who may see a thing can change."""

    def __init__(self, topics: frozenset[str], hides: Hides) -> None:
        self.topics = topics
        self._hides = hides
        self._hidden: frozenset[str] = topics
        self._asked_at = -math.inf

    async def look(self) -> None:
        """Ask if it was long ago."""
        if time.monotonic() - self._asked_at < LOOK_SECONDS:
            return
        self._hidden = await sync_to_async(self._ask)()
        self._asked_at = time.monotonic()

    def shows(self, happening: Happening) -> bool:
        """Whether it may be told, by what was found last."""
        return happening.topic not in self._hidden

    def _ask(self) -> frozenset[str]:
        try:
            return self._hides(self.topics)
        finally:
            connections.close_all()


async def events(request: HttpRequest, hides: Hides) -> HttpResponseBase:
    """The answer; refusals are problems."""
    try:
        sight = Sight(_topics(request), hides)
        last_id = _last_id(request)
        here = hub()
        if here.is_full:
            raise TooManyFollowers("expected a free place, found none; try again later")
        await sight.look()
    except Problem as problem:
        return Document.of(problem).response()
    response = StreamingHttpResponse(
        _frames(here, sight, last_id), content_type="text/event-stream; charset=utf-8"
    )
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"  # or nginx keeps events until a buffer is full
    return response


async def _frames(here: Hub, sight: Sight, last_id: int | None) -> AsyncIterator[bytes]:
    """Subscribes first and replays second, so that nothing falls between the two."""
    subscription = await here.follow(sight.topics)
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        async with aclosing(_happenings(subscription, sight.topics, last_id)) as told:
            async for happening in told:
                await sight.look()
                if happening is None:
                    yield b": still here\n\n"
                elif sight.shows(happening):
                    yield _frame(happening)
    except Ended:
        return
    finally:
        here.leave(subscription)


async def _happenings(
    subscription: Subscription, topics: frozenset[str], last_id: int | None
) -> AsyncGenerator[Happening | None, None]:
    """What was missed, then what happens; None where nothing has for a while."""
    seen = last_id or 0
    while last_id is not None:
        missed = await sync_to_async(_missed)(seen, topics)
        for happening in missed:
            yield happening
            seen = happening.id
        if len(missed) < REPLAY_EVENTS:
            break
    while True:
        try:
            happening = await asyncio.wait_for(subscription.next(), HEARTBEAT_SECONDS)
        except TimeoutError:
            yield None
            continue
        if happening.id > seen:
            yield happening


def _missed(after: int, topics: frozenset[str]) -> tuple[Happening, ...]:
    """Gives its connection back at once, where a generator would keep it as long as it lives.

    Measured without: 40 followers held 42 connections, and a site with a pool of 10 stood still.
    """
    try:
        return queries.after(after, topics, limit=REPLAY_EVENTS)
    finally:
        connections.close_all()


def _frame(happening: Happening) -> bytes:
    """JSON has no line breaks outside strings and none inside, so one `data:` line holds it."""
    data = json.dumps({"topic": happening.topic, **happening.data}, separators=(",", ":"))
    return f"id: {happening.id}\nevent: {happening.kind}\ndata: {data}\n\n".encode()


def _topics(request: HttpRequest) -> frozenset[str]:
    topics = frozenset(filter(None, request.GET.get("topics", "").split(",")))
    if not 1 <= len(topics) <= MAX_TOPICS or not all(map(_TOPIC.fullmatch, topics)):
        raise InvalidTopics(f"expected ?topics= with 1 to {MAX_TOPICS} topics like run:ID")
    return topics


def _last_id(request: HttpRequest) -> int | None:
    value = request.headers.get("Last-Event-ID") or request.GET.get("after")
    if not value:
        return None
    if not _NUMBER.fullmatch(value):
        raise InvalidTopics(f"expected the id of an event, found {value[:40]!r}")
    return int(value)

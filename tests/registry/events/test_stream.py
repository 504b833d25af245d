# SPDX-License-Identifier: Apache-2.0
"""The event stream: live, replayed, multiplexed; slow followers dropped, connections given back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from django.core.asgi import get_asgi_application
from django.db import connection, transaction

from registry.events import hub as hub_module
from registry.events import queries, services, stream
from registry.events.hub import QUEUE_EVENTS, Ended, Hub, Subscription, hub
from registry.events.queries import Happening
from tests.registry.callers import Heard, call, in_database
from tests.until import until_async

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60


async def emit(topic: str, kind: str = "loss", **data: object) -> int:
    """One event, committed; returns its id."""
    return await in_database(lambda: services.emit(topic, kind, data).pk)


@asynccontextmanager
async def following(
    url: str, *, messages: int, **headers: str
) -> AsyncIterator[asyncio.Task[Heard]]:
    """A follower that leaves after so many messages (the head and the retry are the first two)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    application = get_asgi_application()
    task = asyncio.ensure_future(call(application, "GET", url, headers=sent, leave_after=messages))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await until_followed()
        yield task
        await task


async def until_followed(by: int = 1) -> None:
    """Until the hub hears of what happens, for so many followers."""

    def is_open() -> bool:
        line = hub()._line
        return line is not None and len(line.followers) >= by and line.is_open.is_set()

    await until_async(is_open)


def _listeners() -> int:
    return _count("LISTEN events")


def _count(query: str = "%") -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND query LIKE %s",
            [query],
        )
        (number,) = cursor.fetchone()
        return int(number)


def events_of(heard: Heard) -> list[tuple[int, str, dict[str, object]]]:
    """The stream as a browser's EventSource takes it apart."""
    events = []
    for block in heard.body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if "data" in fields:
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


async def test_an_event_is_told_to_who_follows_its_topic() -> None:
    async with following("/events?topics=run:1,run:2", messages=4) as follower:
        await emit("run:3", step=1)
        first = await emit("run:1", step=2, note="a\nb: ü")
        second = await emit("run:2", "run", state="done")
    heard = await follower
    assert heard.status == 200
    assert heard.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert heard.headers["cache-control"] == "no-cache"
    assert heard.headers["x-accel-buffering"] == "no"
    assert events_of(heard) == [
        (first, "loss", {"topic": "run:1", "step": 2, "note": "a\nb: ü"}),
        (second, "run", {"topic": "run:2", "state": "done"}),
    ]


@pytest.mark.parametrize("how", ["Last_Event_ID", "after"])
async def test_what_was_missed_is_replayed_before_what_is_new(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "REPLAY_EVENTS", 2)  # so that it takes several pages
    ids = [await emit("run:1", step=step) for step in range(6)]
    url, headers = "/events?topics=run:1", {}
    if how == "after":
        url += f"&after={ids[0]}"
    else:
        headers[how] = str(ids[0])
    async with following(url, messages=8, **headers) as follower:
        ids.append(await emit("run:1", step=6))
    assert [number for number, _, _ in events_of(await follower)] == ids[1:]


async def test_without_a_last_event_only_new_ones_are_told() -> None:
    await emit("run:1", step=1)
    async with following("/events?topics=run:1", messages=3) as follower:
        await emit("run:1", step=2)
    assert [data["step"] for _, _, data in events_of(await follower)] == [2]


async def test_an_event_too_large_to_announce_is_read_from_the_table() -> None:
    text = "ü" * services.MAX_PAYLOAD_BYTES
    async with following("/events?topics=run:1", messages=4) as follower:
        await emit("run:1", "sample", text=text)
        await emit("run:1", "sample", text="small")
    assert [data["text"] for _, _, data in events_of(await follower)] == [text, "small"]


async def test_an_event_of_an_undone_change_is_never_told() -> None:
    def undone() -> None:
        with transaction.atomic():
            services.emit("run:1", "loss", {"step": 1})
            transaction.set_rollback(True)

    async with following("/events?topics=run:1", messages=3) as follower:
        await in_database(undone)
        await emit("run:1", step=2)
    assert [data["step"] for _, _, data in events_of(await follower)] == [2]


async def test_a_silent_stream_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    async with following("/events?topics=run:1", messages=4) as follower:
        pass
    assert b": still here\n\n" in (await follower).body


async def test_forty_followers_who_replay_hold_one_connection_between_them() -> None:
    first = await emit("run:1", step=1)
    application = get_asgi_application()
    followers = [
        asyncio.ensure_future(
            call(application, "GET", f"/events?topics=run:1&after={first - 1}", leave_after=4)
        )
        for _ in range(40)
    ]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await until_followed(by=40)
        # The line, and the test's own, once the replays have finished.
        await until_async(lambda: in_database(lambda: _count() <= 2))
        await emit("run:1", step=2)
        heard = await asyncio.gather(*followers)
    assert all(len(events_of(one)) == 2 for one in heard)


async def test_the_line_is_closed_after_the_last_follower() -> None:
    async with following("/events?topics=run:1", messages=3):
        await emit("run:1", step=1)
    await until_async(lambda: in_database(lambda: not _listeners()))


async def test_when_the_line_breaks_followers_end_and_may_come_back() -> None:
    def break_it() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query = 'LISTEN events'"
            )

    first = await emit("run:1", step=1)
    async with following("/events?topics=run:1", messages=99):
        await in_database(break_it)
    missed = await emit("run:1", step=2)
    again = {"Last-Event-ID": str(first)}
    application = get_asgi_application()
    async with asyncio.timeout(PATIENCE_SECONDS):
        heard = await call(application, "GET", "/events?topics=run:1", headers=again, leave_after=3)
    assert [number for number, _, _ in events_of(heard)] == [missed]


async def test_a_follower_that_does_not_keep_up_gets_what_is_queued_and_then_the_end() -> None:
    subscription = Subscription({"run:1"})
    for number in range(QUEUE_EVENTS + 5):
        subscription.tell(Happening(id=number, topic="run:1", kind="loss", data={}))
    for number in range(QUEUE_EVENTS):
        assert (await subscription.next()).id == number
    with pytest.raises(Ended):
        await subscription.next()


async def test_no_database_means_no_stream_and_no_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "_address", lambda: "host=/nowhere dbname=none")
    async with asyncio.timeout(PATIENCE_SECONDS):
        heard = await call(get_asgi_application(), "GET", "/events?topics=run:1")
    assert events_of(heard) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "1 to 20 topics"),
        ("topics=", "1 to 20 topics"),
        ("topics=run", "1 to 20 topics"),
        ("topics=run:1%0Aid:2", "1 to 20 topics"),
        ("topics=" + ",".join(f"run:{n}" for n in range(21)), "1 to 20 topics"),
        ("topics=run:1&after=x", "'x'"),
        ("topics=run:1&after=" + "9" * 19, "id of an event"),
    ],
)
async def test_what_cannot_be_followed_is_refused(query: str, found: str) -> None:
    heard = await call(get_asgi_application(), "GET", f"/events?{query}")
    assert (heard.status, heard.problem["code"]) == (400, "invalid-topics")
    assert found in heard.problem["detail"]


async def test_too_many_followers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hub, "is_full", True)
    heard = await call(get_asgi_application(), "GET", "/events?topics=run:1")
    assert (heard.status, heard.problem["code"]) == (503, "too-many-followers")


async def test_what_others_announce_on_our_channel_is_not_told() -> None:
    def announce() -> None:
        with connection.cursor() as cursor:
            for payload in ('{"topic": "run:1"}', '{"topic": "run:1", "id": 999}'):
                cursor.execute("SELECT pg_notify('events', %s)", [payload])

    async with following("/events?topics=run:1", messages=3) as follower:
        await in_database(announce)
        await emit("run:1", step=1)
    assert [data["step"] for _, _, data in events_of(await follower)] == [1]


def test_a_page_asks_for_what_comes_after_what_it_shows() -> None:
    assert queries.latest_id() == 0
    event = services.emit("run:1", "loss", {})
    assert queries.latest_id() == event.pk
    assert queries.event(event.pk + 1) is None

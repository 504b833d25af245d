# SPDX-License-Identifier: Apache-2.0
"""Who follows a run hears of it for as long as they may see its project, and no longer."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from django.core.asgi import get_asgi_application

from registry.accounts import services as accounts
from registry.accounts.models import User
from registry.catalog import services as catalog
from registry.catalog.models import Visibility
from registry.events import services, stream
from registry.events.stream import Sight
from tests.registry.callers import Heard, call, in_database
from tests.registry.events.test_stream import events_of, until_followed
from tests.registry.people import People, secret_of
from tests.registry.pool import world
from tests.registry.pool.world import Lab
from tests.until import until_async

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 60


@pytest.fixture
def lab(people: People) -> Lab:
    return world.on_paper(people)


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Sight]:
    """What is asked every five seconds is asked at each event, and once before; who has asked."""
    found: list[Sight] = []
    look = Sight.look

    async def counted(sight: Sight) -> None:
        await look(sight)
        found.append(sight)

    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 3600.0)  # which asks, too
    monkeypatch.setattr(Sight, "look", counted)
    return found


def follow(lab: Lab, secret: str, *, events: int) -> asyncio.Task[Heard]:
    """Until so many events were told: the head and the retry are two messages before them."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    url = f"/events?topics={lab.run.topic}"
    asked = call(get_asgi_application(), "GET", url, headers=headers, leave_after=2 + events)
    return asyncio.ensure_future(asked)


async def until_they_asked(looks: list[Sight], count: int) -> None:
    """Whether it may be heard is asked when it is told, which nothing says from outside."""
    await until_async(lambda: len(looks) >= count)


async def happens(lab: Lab, step: int) -> None:
    await in_database(lambda: services.emit(lab.run.topic, "loss", {"step": step}))


async def shown_as(lab: Lab, visibility: Visibility) -> None:
    by = lab.people.alice
    await in_database(partial(catalog.show, lab.project, visibility, by=by))


async def secret(user: User) -> str:
    return await in_database(lambda: secret_of(user, "read"))


def steps(heard: Heard) -> list[object]:
    return [data["step"] for _, _, data in events_of(heard)]


async def test_what_becomes_private_is_told_to_members_alone_and_then_to_all_again(
    lab: Lab, looks: list[Sight]
) -> None:
    member, stranger = await secret(lab.people.bob), await secret(lab.people.charlie)
    followers = [
        follow(lab, member, events=3),
        follow(lab, stranger, events=2),
        follow(lab, "", events=2),
    ]
    await until_followed(by=3)
    await happens(lab, 1)
    await until_they_asked(looks, 3 + 3)
    await shown_as(lab, Visibility.PRIVATE)
    await happens(lab, 2)
    await until_they_asked(looks, 3 + 6)
    await shown_as(lab, Visibility.PUBLIC)
    await happens(lab, 3)
    async with asyncio.timeout(SECONDS):
        heard = await asyncio.gather(*followers)
    assert [steps(each) for each in heard] == [[1, 2, 3], [1, 3], [1, 3]]


async def test_a_member_who_is_removed_hears_no_more_of_what_is_private(
    lab: Lab, looks: list[Sight]
) -> None:
    people = lab.people
    await shown_as(lab, Visibility.PRIVATE)
    follower = follow(lab, await secret(people.bob), events=2)
    await until_followed(by=1)
    await happens(lab, 1)
    await until_they_asked(looks, 1 + 1)
    await in_database(partial(accounts.remove_member, people.lab, people.bob, by=people.alice))
    await happens(lab, 2)
    await until_they_asked(looks, 1 + 2)
    await shown_as(lab, Visibility.PUBLIC)
    await happens(lab, 3)
    async with asyncio.timeout(SECONDS):
        heard = await follower
    assert steps(heard) == [1, 3]

# SPDX-License-Identifier: Apache-2.0
"""Knowing a digest gives nothing: no bytes, no upload without them, and no word of who has them.

Each question is asked of a blob that Alice keeps to herself, and of one that nobody ever sent; Bob
must not be able to tell the two answers apart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest
from pytest_django import Settings

from registry.storage import quotas, services
from registry.storage.folder import Folder
from registry.storage.places import Place
from tests.registry.callers import LEAVES, Heard, call, in_database
from tests.registry.storage.world import World, streams

pytestmark = pytest.mark.django_db(transaction=True)
ALICES, NOBODYS = b"a" * 300_000, b"n" * 300_000
BOTH = (ALICES, NOBODYS)
BOB = {"Authorization": "Bearer bob"}
LENGTH = {"Content-Length": str(len(ALICES))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer with nothing in it that says which of the two was asked for."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def kept(place: Place, world: World) -> World:
    """Alice has sent hers, and has shown it to nobody."""
    services.store(ALICES, holder="user:alice")
    return world


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def said(answer: Heard, content: bytes) -> Said:
    body = answer.body.replace(digest(content).encode(), b"DIGEST")
    return Said(status=answer.status, headers=answer.headers, body=body)


async def ask(world: World, method: str, content: bytes, **headers: str) -> Said:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"/api/v1/blobs/sha256:{digest(content)}"
    return said(await call(streams(world), method, url, headers={**BOB, **named}), content)


async def send(world: World, content: bytes, *pieces: bytes | None) -> Said:
    url = f"/api/v1/blobs/sha256:{digest(content)}"
    answer = await call(streams(world), "PUT", url, headers={**BOB, **LENGTH}, pieces=pieces)
    return said(answer, content)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_it_reads_nothing(kept: World, method: str) -> None:
    known, unknown = [await ask(kept, method, content) for content in BOTH]
    assert known == unknown
    assert known.status == 404


async def test_it_reads_nothing_by_a_range_or_a_condition_either(kept: World) -> None:
    tag = f'"{digest(ALICES)}"'
    for headers in (
        {"Range": "bytes=0-0"},
        {"Range": "bytes=999999-"},
        {"If_None_Match": tag},
        {"If_None_Match": "*"},
        {"If_Range": tag, "Range": "bytes=0-0"},
    ):
        known, unknown = [await ask(kept, "GET", content, **headers) for content in BOTH]
        assert known == unknown
        assert known.status == 404


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (b"a" * 299_999,),
        (b"x" * 300_000,),
        (b"a" * 300_000, b"a"),
        (b"a" * 65_536, LEAVES),
    ],
    ids=["none", "one too few", "others", "one too many", "gone"],
)
async def test_no_upload_is_taken_without_all_of_its_bytes(
    kept: World, pieces: tuple[bytes | None, ...]
) -> None:
    answer = await send(kept, ALICES, *pieces)
    assert answer.status == 422
    assert not await in_database(lambda: services.holds("user:bob", digest(ALICES)))
    assert (await ask(kept, "GET", ALICES)).status == 404


async def test_who_has_the_bytes_is_answered_as_if_they_were_the_first(kept: World) -> None:
    known, unknown = [await send(kept, content, content) for content in BOTH]
    assert known == unknown
    assert known.status == 201


async def test_it_costs_each_who_sends_it_the_same(kept: World, settings: Settings) -> None:
    settings.STORAGE_QUOTA = len(ALICES) - 1
    known, unknown = [await send(kept, content, content) for content in BOTH]
    assert known == unknown
    assert known.status == 413
    settings.STORAGE_QUOTA = 2 * len(ALICES)
    for content in BOTH:
        await send(kept, content, content)
    assert (await in_database(lambda: quotas.use_of("user:bob"))).used_bytes == 2 * len(ALICES)


async def test_what_is_damaged_is_said_to_nobody_else(kept: World, place: Place) -> None:
    await in_database(lambda: place.quarantine(digest(ALICES)))
    known, unknown = [await ask(kept, "GET", content) for content in BOTH]
    assert known == unknown
    assert known.status == 404


async def test_a_folder_writes_again_what_it_has(kept: World, place: Place) -> None:
    """Not to write it would be quicker, and the time would say that somebody has it."""
    before = await in_database(lambda: place.stamp(digest(ALICES)))
    await send(kept, ALICES, ALICES)
    after = await in_database(lambda: place.stamp(digest(ALICES)))
    if isinstance(place, Folder):
        assert before != after
    assert after

# SPDX-License-Identifier: Apache-2.0
"""Downloads are counted by one file of each checkpoint, once however it is fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.db import DatabaseError

from registry.asgi import application
from registry.catalog.models import Checkpoint
from registry.catalog.models.found import Listing
from registry.catalog.services import downloads
from registry.catalog.services.downloads import Fetched
from tests.registry.callers import call, in_database
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World, by_person, publish

pytestmark = pytest.mark.django_db(transaction=True)

MAIN = "/lab/small/resolve/main"
NAMED = "/lab/small/first/files"


@pytest.fixture(autouse=True)
def _nothing_is_seen() -> Iterator[None]:
    downloads._seen.clear()
    yield
    downloads._seen.clear()


def written() -> int:
    downloads.flush()
    return Listing.objects.get().downloads


@pytest.mark.parametrize("start", [MAIN, NAMED])
async def test_a_download_is_counted_once(world: World, start: str) -> None:
    await in_database(lambda: publish(by_person(world)))
    config = f"{start}/config.json"
    await call(application, "HEAD", config)
    for path in (config, f"{start}/README.md", f"{start}/model.safetensors"):
        assert (await call(application, "GET", path)).status == 200
    rest = await call(application, "GET", config, headers={"Range": "bytes=3-"})
    etag = rest.headers["etag"]
    known = await call(application, "GET", config, headers={"If-None-Match": etag})
    assert (rest.status, known.status) == (206, 304)
    assert await in_database(written) == 1
    await call(application, "GET", config, headers={"Range": "bytes=0-"})
    assert await in_database(written) == 2
    for looked_at in ("bytes=0-0", "bytes=0-3", "bytes=-1"):
        answer = await call(application, "GET", config, headers={"Range": looked_at})
        assert answer.status == 206
    assert await in_database(written) == 2


@pytest.mark.parametrize(
    ("names", "counted"),
    [
        (("a.txt", "config.json", "model.safetensors"), "config.json"),
        (("a.txt", "model-2.safetensors", "model-1.safetensors"), "model-1.safetensors"),
        (("b.txt", "a.txt"), "a.txt"),
    ],
)
def test_one_file_of_a_checkpoint_counts(
    world: World, names: tuple[str, ...], counted: str
) -> None:
    contents = {".json": b"{}", ".txt": b"text"}
    files = {name: contents.get(name[name.index(".") :], weights()) for name in names}
    assert downloads.counted(publish(by_person(world, files=files))) == counted


def test_what_is_none_is_not_counted(world: World) -> None:
    publish(by_person(world))
    config = Fetched(owner="lab", project="small", checkpoint="first", path="config.json")
    other = Fetched(owner="lab", project="small", checkpoint="second", path="config.json")
    downloads._seen.update({config: 5, other: 7})
    assert written() == 5


async def test_more_than_can_be_kept_is_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_KEPT", 1)
    for path in ("a", "b", "a"):
        downloads.note(Fetched(owner="o", project="p", checkpoint="c", path=path))
    assert [each.path for each in downloads._seen] == ["a"]


async def test_what_was_seen_is_written_after_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "FLUSH_SECONDS", 0.01)
    await in_database(lambda: publish(by_person(world)))
    await call(application, "GET", f"{MAIN}/config.json")
    for _ in range(500):
        if await in_database(lambda: Listing.objects.get().downloads):
            break
        await asyncio.sleep(0.01)
    assert await in_database(lambda: Listing.objects.get().downloads) == 1


def test_a_database_that_is_away_costs_the_count_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(of: Checkpoint) -> str:
        raise DatabaseError("away")

    publish(by_person(world))
    monkeypatch.setattr(downloads, "counted", away)
    fetched = Fetched(owner="lab", project="small", checkpoint="first", path="config.json")
    downloads._seen[fetched] = 3
    downloads.flush()
    assert "3 downloads are not counted" in caplog.text

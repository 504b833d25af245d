# SPDX-License-Identifier: Apache-2.0
"""What storage promises, kept in a folder and in a bucket alike."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from registry.storage import quotas, scrubbing, services
from registry.storage.bucket import Bucket, Unreachable
from registry.storage.errors import BlobDamaged, BlobLost
from registry.storage.files import Part
from registry.storage.folder import Folder
from registry.storage.models import Blob
from registry.storage.places import Place
from tests.registry.callers import LEAVES, Heard, call, in_database
from tests.registry.storage.conftest import everything_in
from tests.registry.storage.world import CONTENT, SHA256, World, streams

stores = pytest.mark.django_db(transaction=True)
URL = f"/api/v1/blobs/sha256:{SHA256}"
ALICE = {"Authorization": "Bearer alice"}
LATER = timedelta(days=2)


async def put(content: bytes = CONTENT, *, cut: bool = False) -> Heard:
    headers = {**ALICE, "Content-Length": str(len(CONTENT))}
    pieces = [content[at : at + 65_536] for at in range(0, len(content), 65_536)]
    sent = [*pieces[:3], LEAVES] if cut else pieces
    return await call(streams(World()), "PUT", URL, headers=headers, pieces=sent)


async def get(**headers: str) -> Heard:
    return await call(streams(World()), "GET", URL, headers={**ALICE, **headers})


def spoil(place: Place) -> None:
    """Other bytes in the blob's place."""
    rotten = bytearray(CONTENT)
    rotten[1234] ^= 1
    match place:
        case Folder():
            place.path(SHA256).write_bytes(rotten)
        case Bucket():
            part = place.parts / ".part-rotten"
            part.write_bytes(rotten)
            place.settle(part, SHA256)
            part.unlink()


def everything(place: Place) -> list[str]:
    return sorted(place.older_than(datetime.now(UTC) + LATER))


@stores
async def test_what_was_put_is_got_whole_and_in_ranges(place: Place, data_folder: Path) -> None:
    assert (await put()).status == 201
    assert (await put()).status == 200
    assert (await get()).body == CONTENT
    part = await get(Range="bytes=2000000-2500000")
    assert (part.status, part.body) == (206, CONTENT[2_000_000:2_500_001])
    assert (await get(Range="bytes=-10")).body == CONTENT[-10:]
    assert everything(place) == [SHA256]
    assert not [name for name in everything_in(data_folder / "blobs") if name.startswith(".")]


@stores
async def test_nothing_of_a_failed_upload_stays(place: Place, data_folder: Path) -> None:
    assert (await put(CONTENT[:-1] + b"!")).problem["code"] == "digest-mismatch"
    assert (await put(cut=True)).problem["code"] == "truncated-upload"
    assert everything(place) == []
    assert everything_in(data_folder / "blobs") == []


@stores
async def test_a_quota_is_asked_before_a_byte_goes_there(place: Place, settings: Settings) -> None:
    settings.STORAGE_QUOTA = len(CONTENT) - 1
    assert (await put()).problem["code"] == "quota-exceeded"
    assert everything(place) == []


def test_an_empty_blob_is_a_blob(db: None, place: Place) -> None:
    digest = services.store(b"", holder="system").sha256
    with services.open_blob(digest) as file:
        assert file.read() == b""
    assert place.stamp(digest)


def test_a_blob_is_read_and_sought_in_as_a_file_is(db: None, place: Place) -> None:
    services.store(CONTENT, holder="system")
    with services.open_blob(SHA256) as file:
        assert file.seek(-5, os.SEEK_END) == len(CONTENT) - 5
        assert file.read() == CONTENT[-5:]
        assert file.seek(1_500_000) == 1_500_000
        assert file.read(3) == CONTENT[1_500_000:1_500_003]
        assert file.seek(7, os.SEEK_CUR) == 1_500_010
        assert file.read() == CONTENT[1_500_010:]


def test_a_blob_is_lent_as_a_local_file_and_no_copy_stays(
    db: None, place: Place, data_folder: Path
) -> None:
    services.store(CONTENT, holder="system")
    before = everything_in(data_folder)
    with services.local(SHA256) as path:
        assert path.read_bytes() == CONTENT
    assert everything_in(data_folder) == before


def test_what_is_not_there_says_which(db: None, place: Place) -> None:
    with pytest.raises(BlobLost, match=SHA256):
        services.open_blob(SHA256)
    with pytest.raises(BlobLost, match=SHA256), services.local(SHA256):
        pytest.fail("a blob was lent that is not there")
    place.remove(SHA256)
    assert place.stamp(SHA256) == ""


def test_a_row_is_refused_to_what_is_not_there(db: None, place: Place) -> None:
    with pytest.raises(BlobLost, match="send it again"):
        services.record({SHA256: 5}, holder="system")


@stores
def test_row_and_bytes_go_together(place: Place) -> None:
    services.store(CONTENT, holder=services.OURSELVES)
    with transaction.atomic():
        services.drop([SHA256], needed=lambda _: frozenset())
    assert (Blob.objects.exists(), everything(place)) == (False, [])


def test_the_sweep_removes_what_no_row_names(db: None, place: Place) -> None:
    services.store(b"something else", holder="user:alice")
    with Part() as part:
        part.write(CONTENT)
        part.keep()
    now = datetime.now(UTC)
    assert services.sweep_orphans(now=now) == 0  # its row may be on its way
    assert services.sweep_orphans(now=now + LATER) == 1
    assert everything(place) == [hashlib.sha256(b"something else").hexdigest()]


def test_what_a_crash_leaves_of_a_transfer_is_swept(db: None, place: Place) -> None:
    with Part() as part:
        part.write(CONTENT)
        part.settle()
        left = part._path
        assert services.sweep(now=datetime.now(UTC) + LATER) == 1
        assert not left.exists()


@stores
async def test_rotten_bytes_are_found_and_never_served_until_they_are_sent_again(
    place: Place,
) -> None:
    await put()
    await in_database(lambda: spoil(place))
    await in_database(scrubbing.scrub)
    assert await in_database(scrubbing.damaged) == [SHA256]
    assert ((await get()).problem["code"], everything(place)) == ("blob-damaged", [])
    assert (await put()).status == 200
    assert (await get()).body == CONTENT
    assert await in_database(scrubbing.damaged) == []


def test_rotten_bytes_are_repaired_from_the_second_copy(
    db: None, place: Place, tmp_path: Path, settings: Settings
) -> None:
    settings.SECOND_COPY = str(tmp_path / "second")
    (tmp_path / "second").mkdir()
    services.store(CONTENT, holder="user:alice")
    spoil(place)
    assert (scrubbing.scrub().repaired, scrubbing.damaged()) == (1, [])
    with services.open_blob(SHA256) as file:
        assert file.read() == CONTENT
    assert place.is_quarantined(SHA256)


def test_a_lost_blob_is_damaged_too(db: None, place: Place) -> None:
    services.store(CONTENT, holder="user:alice")
    services.store(b"another one", holder="user:alice")
    place.remove(SHA256)
    assert scrubbing.scrub().damaged == 1
    with pytest.raises(BlobLost) as refusal:
        services.open_blob(SHA256)
    assert not isinstance(refusal.value, BlobDamaged)


def test_where_nothing_is_at_all_nothing_is_taken_for_damaged(db: None, place: Place) -> None:
    services.store(CONTENT, holder="user:alice")
    place.remove(SHA256)
    with pytest.raises(Unreachable, match="found none at all: is it mounted"):
        scrubbing.scrub()
    assert scrubbing.damaged() == []


def test_use_is_counted_alike(db: None, place: Place) -> None:
    for _ in range(2):
        services.store(CONTENT, holder="user:alice")
    assert quotas.use_of("user:alice").used_bytes == len(CONTENT)

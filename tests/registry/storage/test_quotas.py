# SPDX-License-Identifier: Apache-2.0
"""What one may store: counted once a blob, refused as early as can be, and never passed by many."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from registry.storage import quotas, services, upload
from registry.storage.errors import QuotaExceeded
from registry.storage.files import Part
from registry.storage.models import Blob, Holding
from tests.registry.callers import Heard, call, in_database
from tests.registry.storage.conftest import everything_in
from tests.registry.storage.world import World, streams

stores = pytest.mark.django_db(transaction=True)
ALICE, BOB = "user:alice", "user:bob"
AT_ONCE = 50
ROOM_FOR = 7


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def put(content: bytes, pieces: Sequence[bytes] = (), caller: str = "alice") -> Heard:
    headers = {"Authorization": f"Bearer {caller}", "Content-Length": str(len(content))}
    url = f"/api/v1/blobs/sha256:{digest(content)}"
    sent = pieces or (content,)
    return await call(streams(World()), "PUT", url, headers=headers, pieces=sent)


def test_different_blobs_are_counted_and_the_same_one_once(db: None) -> None:
    for content in (b"12345", b"12345", b"678"):
        services.store(content, holder=ALICE)
    services.store(b"12345", holder=BOB)
    assert [quotas.use_of(who).used_bytes for who in (ALICE, BOB, "user:charlie")] == [8, 5, 0]


def test_what_is_full_takes_nothing_new_and_says_used_asked_and_allowed(
    db: None, settings: Settings
) -> None:
    settings.STORAGE_QUOTA = 10
    services.store(b"1234567", holder=ALICE)
    services.store(b"123", holder=ALICE)
    services.store(b"123", holder=ALICE)  # costs nothing, and fits
    with pytest.raises(QuotaExceeded) as refusal:
        services.store(b"4", holder=ALICE)
    assert "at most 10 bytes stored by user:alice, found 10 used and 1 more" in str(refusal.value)
    assert quotas.use_of(ALICE).used_bytes == 10
    services.store(b"4", holder=BOB)


def test_somebody_may_be_allowed_more_or_nothing(db: None, settings: Settings) -> None:
    settings.STORAGE_QUOTA = 3
    quotas.allow(ALICE, 5)
    quotas.allow(BOB, 0)
    services.store(b"12345", holder=ALICE)
    with pytest.raises(QuotaExceeded, match="at most 0 bytes"):
        services.store(b"1", holder=BOB)
    quotas.allow(BOB, None)
    services.store(b"1", holder=BOB)


def test_the_registrys_own_files_are_nobodys_use(db: None, settings: Settings) -> None:
    settings.STORAGE_QUOTA = 0
    services.store(b"a signature", holder=services.OURSELVES)
    assert quotas.use_of(services.OURSELVES).used_bytes == 0


def test_what_is_published_in_a_name_counts_in_that_name(db: None, settings: Settings) -> None:
    blobs = {services.store(content, holder=ALICE).pk for content in (b"12345", b"678")}
    for _ in range(2):
        services.charge("organisation:lab", blobs)
    assert quotas.use_of("organisation:lab").used_bytes == 8
    settings.STORAGE_QUOTA = 7
    with pytest.raises(QuotaExceeded, match="stored by organisation:other"):
        services.charge("organisation:other", blobs)


def test_who_is_forgotten_has_no_use_either(db: None) -> None:
    services.store(b"12345", holder=ALICE)
    services.forget_holder(ALICE)
    assert quotas.use_of(ALICE).used_bytes == 0


@stores
async def test_an_announced_size_is_refused_before_a_byte_is_read(
    settings: Settings, data_folder: Path
) -> None:
    settings.STORAGE_QUOTA = 100
    answer = await put(b"x" * 101, (b"this would be read, and refused as too short",))
    assert (answer.status, answer.problem["code"]) == (413, "quota-exceeded")
    assert "found 0 used and 101 more" in answer.problem["detail"]
    assert not (data_folder / "blobs" / "parts").exists()


@stores
async def test_an_upload_is_ended_when_the_rest_was_used_meanwhile(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    monkeypatch.setattr(upload, "ASK_BYTES", upload.WRITE_BYTES)
    settings.STORAGE_QUOTA = 4 * upload.WRITE_BYTES
    content, asked = bytes(4 * upload.WRITE_BYTES), []
    check = quotas.check

    def use_the_rest(holder: str, sizes: Mapping[str, int]) -> None:
        check(holder, sizes)
        asked.append(sizes)
        services.store(b"another upload", holder=holder)

    monkeypatch.setattr(quotas, "check", use_the_rest)
    pieces = [content[at : at + 65_536] for at in range(0, len(content), 65_536)]
    assert (await put(content, pieces)).problem["code"] == "quota-exceeded"
    assert len(asked) == 1  # it was not read to its end
    assert list((data_folder / "blobs" / "parts").iterdir()) == []


@stores
async def test_of_fifty_uploads_at_once_none_slips_through(
    settings: Settings, data_folder: Path
) -> None:
    contents = [number.to_bytes(4, "big") * 256 for number in range(AT_ONCE)]
    settings.STORAGE_QUOTA = ROOM_FOR * 1024 + 1023
    answers = await asyncio.gather(*(put(content) for content in contents))
    stored = [answer for answer in answers if answer.status == 201]
    refused = {answer.problem["code"] for answer in answers if answer.status != 201}
    assert (len(stored), refused) == (ROOM_FOR, {"quota-exceeded"})
    assert (await in_database(lambda: quotas.use_of(ALICE))).used_bytes == ROOM_FOR * 1024
    rows = await in_database(lambda: (Blob.objects.count(), Holding.objects.count()))
    assert rows == (ROOM_FOR, ROOM_FOR)
    assert len(everything_in(data_folder)) == ROOM_FOR


def test_what_is_staged_needs_room_beside_what_is_held_and_is_not_held(
    db: None, settings: Settings
) -> None:
    settings.STORAGE_QUOTA = 10
    services.store(b"12345", holder=ALICE)
    waiting = services.store(b"678", holder=services.staged(ALICE)).pk
    assert quotas.use_of(ALICE).used_bytes == 5
    assert not services.holds(ALICE, waiting)
    with pytest.raises(QuotaExceeded, match="found 8 used and 3 more"):
        services.store(b"abc", holder=services.staged(ALICE))
    with transaction.atomic():
        services.release(services.staged(ALICE), {waiting})
    services.store(b"abc", holder=services.staged(ALICE))


def test_several_are_kept_together_or_not_at_all(
    db: None, settings: Settings, data_folder: Path
) -> None:
    settings.STORAGE_QUOTA = 7
    with Part() as one, Part() as other:
        for part, content in ((one, b"1234"), (other, b"5678")):
            part.write(content)
            part.end()
        with pytest.raises(QuotaExceeded):
            services.keep_all((one, other), holder=ALICE)
        assert not Blob.objects.exists()
        settings.STORAGE_QUOTA = 8
        services.keep_all((one, other), holder=ALICE)
    assert services.held({ALICE}, {digest(b"1234"), digest(b"5678")})
    assert quotas.use_of(ALICE).used_bytes == 8

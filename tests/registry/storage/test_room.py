# SPDX-License-Identifier: Apache-2.0
"""A disk that is nearly full: uploads stop before it is, reading goes on, and it is said."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest
from pytest_django import Settings

from registry.env import Portion
from registry.storage import services, space, tasks
from registry.storage.errors import NoSpace
from tests.registry.callers import Heard, call
from tests.registry.storage.world import World, streams

MANY = 64
PIECE = bytes(256 * 1024)


async def put(content: bytes) -> Heard:
    """Alice sends this, in pieces as a server delivers them."""
    digest = hashlib.sha256(content).hexdigest()
    pieces = [content[at : at + 65_536] for at in range(0, len(content), 65_536)]
    headers = {"Authorization": "Bearer alice", "Content-Length": str(len(content))}
    url = f"/api/v1/blobs/sha256:{digest}"
    return await call(streams(World()), "PUT", url, headers=headers, pieces=pieces)


@pytest.mark.django_db(transaction=True)
async def test_uploads_stop_before_the_disk_is_full_and_reading_goes_on(
    small_disk: Path, settings: Settings
) -> None:
    settings.DISK_RESERVE = Portion(percent=25)
    answers = {}
    for number in range(MANY):
        content = number.to_bytes(4, "big") + PIECE
        answers[content] = await put(content)
    stored = [content for content, answer in answers.items() if answer.status == 201]
    refused = [answer for answer in answers.values() if answer.status == 507]
    assert len(stored) > 10
    assert len(refused) == MANY - len(stored)
    assert {answer.problem["code"] for answer in refused} == {"insufficient-storage"}
    assert space.room().free_bytes >= space.room().reserve_bytes
    assert list((small_disk / "blobs" / "parts").iterdir()) == []
    for content in stored:
        with services.open_blob(hashlib.sha256(content).hexdigest()) as file:
            assert file.read() == content


@pytest.mark.django_db(transaction=True)
async def test_others_who_fill_the_disk_end_an_upload_that_had_room(
    small_disk: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DISK_RESERVE = Portion(percent=25)
    write, content = space.check_room, bytes(4 << 20)

    def fill(size_bytes: int) -> None:
        """Between the announcement, for which there was room, and the first piece."""
        write(size_bytes)
        (small_disk / "others").write_bytes(bytes(4 << 20))

    monkeypatch.setattr("registry.storage.upload.check_room", fill)
    assert (await put(content)).problem["code"] == "insufficient-storage"
    assert list((small_disk / "blobs" / "parts").iterdir()) == []


@pytest.mark.django_db(transaction=True)
async def test_what_would_not_fit_is_refused_before_a_byte_is_read(settings: Settings) -> None:
    settings.DISK_RESERVE = Portion(size_bytes=space.room().free_bytes - 100_000)
    answer = await put(PIECE)
    assert answer.status == 507
    assert f"expected room for {len(PIECE)} bytes" in answer.problem["detail"]
    assert "reading goes on, try again later" in answer.problem["detail"]


def test_the_registrys_own_writes_go_on(db: None, settings: Settings) -> None:
    settings.DISK_RESERVE = Portion(percent=100)
    with pytest.raises(NoSpace):
        services.check_room(0)
    assert services.store(b"a signature", holder="system").size_bytes == 11


@pytest.mark.parametrize(("percent", "lines"), [(0, 0), (100, 1)])
def test_the_log_says_it_for_as_long_as_it_is_so(
    settings: Settings, caplog: pytest.LogCaptureFixture, percent: int, lines: int
) -> None:
    settings.DISK_RESERVE = Portion(percent=percent)
    with caplog.at_level(logging.WARNING):
        tasks.watch()
    assert len([line for line in caplog.messages if "uploads are refused" in line]) == lines

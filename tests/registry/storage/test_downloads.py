# SPDX-License-Identifier: Apache-2.0
"""GET and HEAD of blobs and files: who may, which bytes, and what a browser may do with them."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from pytest_django import Settings

from registry.api.wire import BrokenOff
from registry.storage import services
from registry.storage.download import READ_BYTES, Download
from registry.storage.files import path_of
from tests.registry.callers import Heard, call
from tests.registry.storage.world import CONTENT, SHA256, SHOWN, World, streams

BLOB = f"/api/v1/blobs/sha256:{SHA256}"
FILE = "/lab/model/step-1/files/a%20folder/n%C3%A4me.json"


@pytest.fixture
def stored(transactional_db: None, world: World) -> World:
    """Alice has sent the blob, anybody may read it, and it is shown as a file of a checkpoint."""
    services.store(CONTENT, holder="user:alice")
    world.public.add(SHA256)
    world.shown[SHOWN] = Download(sha256=SHA256, size_bytes=len(CONTENT), name="näme.json")
    return world


async def get(world: World, url: str = BLOB, method: str = "GET", **headers: str) -> Heard:
    """One download; header names with underscores for hyphens."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await call(streams(world), method, url, headers=sent)


@pytest.mark.parametrize("url", [BLOB, FILE])
async def test_the_bytes_come_as_a_download_that_can_do_nothing(stored: World, url: str) -> None:
    answer = await get(stored, url)
    assert (answer.status, answer.body) == (200, CONTENT)
    headers = answer.headers
    assert headers["etag"] == f'"{SHA256}"'
    assert headers["content-length"] == str(len(CONTENT))
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(("location", "sent"), [("/stored-blobs/", b""), ("", CONTENT)])
async def test_a_proxy_that_reads_blobs_itself_is_told_which(
    stored: World, settings: Settings, location: str, sent: bytes
) -> None:
    settings.BLOBS_LOCATION = location
    answer = await get(stored)
    assert (answer.status, answer.body) == (200, sent)
    told = answer.headers.get("x-accel-redirect")
    assert told == (f"/stored-blobs/{SHA256[:2]}/{SHA256}" if location else None)
    refused = await get(stored, Range="bytes=99999999-")
    assert refused.status == 416
    assert (await get(stored, method="HEAD")).headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize("location", ["/stored-blobs/", ""])
async def test_no_request_says_where_a_proxy_reads(
    stored: World, settings: Settings, location: str
) -> None:
    settings.BEHIND_PROXY, settings.BLOBS_LOCATION = True, location
    told = (await get(stored, X_Accel_Location="/elsewhere/")).headers.get("x-accel-redirect")
    assert told == (f"/stored-blobs/{SHA256[:2]}/{SHA256}" if location else None)


class Away(World):
    """Whoever is asked needs the database, and it does not answer."""

    def actor(self, authorization: str | None) -> str | None:
        raise OperationalError("connection to db.internal failed")


@pytest.mark.parametrize(("method", "url"), [("GET", BLOB), ("GET", FILE), ("PUT", BLOB)])
async def test_without_a_database_it_says_when_to_try_again(method: str, url: str) -> None:
    answer = await get(Away(), url, method, Authorization="Bearer alice")
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"database-away" in answer.body
    assert b"db.internal" not in answer.body


async def test_a_file_is_saved_under_its_own_name(stored: World) -> None:
    answer = await get(stored, FILE)
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''n%C3%A4me.json"


@pytest.mark.parametrize("url", [BLOB, FILE])
async def test_head_says_the_same_without_the_bytes(stored: World, url: str) -> None:
    full, head = await get(stored, url), await get(stored, url, "HEAD")
    assert (head.status, head.headers, head.body) == (200, full.headers, b"")
    assert (await get(stored, url, "HEAD", Range="bytes=0-1")).status == 200


async def test_one_range_is_sent(stored: World) -> None:
    start, end = READ_BYTES - 5, READ_BYTES * 2 + 6  # across three reads
    answer = await get(stored, Range=f"bytes={start}-{end - 1}")
    assert (answer.status, answer.body) == (206, CONTENT[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert answer.headers["content-length"] == str(end - start)


async def test_a_range_outside_the_file_is_refused(stored: World) -> None:
    answer = await get(stored, Range=f"bytes={len(CONTENT)}-")
    assert (answer.status, answer.problem["code"]) == (416, "range-not-satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


async def test_a_resumed_download_never_mixes_two_files(stored: World) -> None:
    same = await get(stored, Range="bytes=10-19", If_Range=f'"{SHA256}"')
    assert (same.status, same.body) == (206, CONTENT[10:20])
    for other in ('"other"', f'W/"{SHA256}"', "Fri, 20 Nov 2026 12:00:00 GMT"):
        answer = await get(stored, Range="bytes=10-19", If_Range=other)
        assert (answer.status, answer.body) == (200, CONTENT)


async def test_who_has_it_already_is_told_so(stored: World) -> None:
    for known in (f'"{SHA256}"', "*", f'"a", W/"{SHA256}"'):
        answer = await get(stored, If_None_Match=known)
        assert (answer.status, answer.body) == (304, b"")
    assert (await get(stored, If_None_Match='"other"')).status == 200


async def test_a_private_blob_is_as_good_as_none_to_a_stranger(stored: World) -> None:
    stored.public.clear()
    unknown = await get(stored, BLOB.replace(SHA256, "0" * 64))
    assert (await get(stored, Authorization="Bearer alice")).body == CONTENT
    for answer in (await get(stored), await get(stored, Authorization="Bearer bob"), unknown):
        assert (answer.status, answer.problem["code"]) == (404, "not-found")


async def test_a_token_that_opens_nothing_is_said_so(world: World) -> None:
    assert (await get(world, Authorization="Bearer mallory")).status == 401


async def test_an_unknown_file_is_not_found(world: World) -> None:
    for path in ("other.json", "a%20folder%2f..%2fn%C3%A4me.json", "..%2f..%2fetc%2fpasswd", "%00"):
        answer = await get(world, f"/lab/model/step-1/files/{path}")
        assert (answer.status, answer.problem["code"]) == (404, "not-found")


async def test_a_file_is_got_and_headed_only(world: World) -> None:
    answer = await get(world, FILE, "PUT")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_nothing_is_read_for_a_caller_who_has_gone(stored: World) -> None:
    answer = await call(streams(stored), "GET", BLOB, leave_after=2)
    assert len(answer.body) < len(CONTENT)


async def test_a_blob_that_the_disk_lost_is_a_fault_and_no_half_answer(stored: World) -> None:
    path_of(SHA256).unlink()
    answer = await get(stored)
    assert (answer.status, answer.problem["code"]) == (500, "blob-lost")


async def test_a_blob_that_the_disk_cut_short_breaks_the_connection(stored: World) -> None:
    await sync_to_async(path_of(SHA256).write_bytes)(CONTENT[:100])
    with pytest.raises(BrokenOff):
        await get(stored)


async def test_every_other_address_is_left_to_django(world: World) -> None:
    with pytest.raises(AssertionError, match="no address of storage"):
        await get(world, "/api/v1/projects")

# SPDX-License-Identifier: Apache-2.0
"""PUT of a blob: who, how much, the right bytes; and nothing of a failed one stays."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.storage import upload
from registry.storage.files import Part, path_of
from registry.storage.models import Blob, Holding
from tests.registry.callers import LEAVES, Heard, call, in_database
from tests.registry.storage.world import CONTENT, SHA256, World, streams

stores = pytest.mark.django_db(transaction=True)
URL = f"/api/v1/blobs/sha256:{SHA256}"


async def put(
    world: World,
    pieces: Sequence[bytes | None] = (CONTENT,),
    *,
    caller: str | None = "alice",
    length: str | None = str(len(CONTENT)),
    url: str = URL,
) -> Heard:
    """One upload."""
    headers = {}
    if caller is not None:
        headers["Authorization"] = f"Bearer {caller}"
    if length is not None:
        headers["Content-Length"] = length
    return await call(streams(world), "PUT", url, headers=headers, pieces=pieces)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def rows() -> tuple[int, int]:
    return await in_database(lambda: (Blob.objects.count(), Holding.objects.count()))


@stores
async def test_a_blob_is_stored_under_its_digest(world: World, data_folder: Path) -> None:
    pieces = [CONTENT[start : start + 65_536] for start in range(0, len(CONTENT), 65_536)]
    answer = await put(world, pieces)
    assert (answer.status, await rows()) == (201, (1, 1))
    assert path_of(SHA256).read_bytes() == CONTENT
    assert files_in(data_folder) == [SHA256]


@stores
async def test_the_same_caller_is_told_that_it_was_there(world: World, data_folder: Path) -> None:
    await put(world)
    assert (await put(world)).status == 200
    assert (await rows(), files_in(data_folder)) == ((1, 1), [SHA256])


@stores
async def test_another_caller_has_to_send_the_bytes_too(world: World) -> None:
    await put(world)
    other = b"x" * len(CONTENT)
    assert (await put(world, (other,), caller="bob")).problem["code"] == "digest-mismatch"
    assert (await put(world, caller="bob")).status == 201
    assert await rows() == (1, 2)


@stores
async def test_who_left_while_the_bytes_came_has_sent_nothing(world: World) -> None:
    world.gone.add("user:alice")
    assert (await put(world)).problem["code"] == "token-revoked"
    assert await rows() == (0, 0)


@stores
async def test_an_empty_blob_is_a_blob(world: World) -> None:
    url = f"/api/v1/blobs/sha256:{hashlib.sha256(b'').hexdigest()}"
    assert (await put(world, (b"",), length="0", url=url)).status == 201


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [
        (None, 401, "authentication-required"),
        ("nobody", 401, "token-unknown"),
        ("reader", 403, "scope-missing"),
    ],
)
async def test_who_may_not_store_is_told_before_any_byte_is_read(
    world: World, data_folder: Path, caller: str | None, status: int, code: str
) -> None:
    answer = await put(world, (), caller=caller)
    assert (answer.status, answer.problem["code"]) == (status, code)
    assert files_in(data_folder) == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """An upload that is not as announced, and what is said about it."""

    pieces: tuple[bytes, ...] = ()
    length: str | None = str(len(CONTENT))
    status: int = 422
    code: str
    words: str


MOST = str(upload.MAX_BLOB_BYTES)
OTHER = b"x" * len(CONTENT)


WRONG = (
    Wrong(pieces=(OTHER,), code="digest-mismatch", words=f"expected sha256:{SHA256}"),
    Wrong(pieces=(CONTENT[:-1],), code="truncated-upload", words=str(len(CONTENT) - 1)),
    Wrong(pieces=(CONTENT, b"x"), code="truncated-upload", words="found more"),
    Wrong(length=None, status=411, code="length-required", words="Content-Length"),
    Wrong(length="-1", status=411, code="length-required", words="Content-Length"),
    Wrong(length="1e3", status=411, code="length-required", words="Content-Length"),
    Wrong(length=f"{MOST}0", status=413, code="blob-too-large", words=f"at most {MOST} bytes"),
    Wrong(length="9" * 5_000, status=413, code="blob-too-large", words=MOST),
)


@stores
async def test_what_is_not_as_announced_leaves_nothing_behind(
    world: World, data_folder: Path
) -> None:
    for wrong in WRONG:
        answer = await put(world, wrong.pieces, length=wrong.length)
        assert (answer.status, answer.problem["code"]) == (wrong.status, wrong.code)
        assert wrong.words in answer.problem["detail"]
        assert (await rows(), files_in(data_folder)) == ((0, 0), [])


@stores
async def test_an_upload_cut_short_is_told_so_and_leaves_nothing_behind(
    world: World, data_folder: Path
) -> None:
    for before in (0, 1, 40):
        pieces = [*(CONTENT[i * 65_536 : (i + 1) * 65_536] for i in range(before)), LEAVES]
        answer = await put(world, pieces)
        assert (answer.status, answer.problem["code"]) == (422, "truncated-upload")
        found = f"expected {len(CONTENT)} bytes, found {before * 65_536}"
        assert answer.problem["detail"] == found
        assert (await rows(), files_in(data_folder)) == ((0, 0), [])


@pytest.mark.parametrize(
    "name",
    ["", "abc", SHA256.upper(), f"{SHA256}0", "..%2f..%2fetc%2fpasswd", f"{SHA256[:-1]}%00", "%0a"],
)
async def test_only_a_digest_is_an_address(world: World, data_folder: Path, name: str) -> None:
    path = f"/api/v1/blobs/sha256:{name}"
    if "%2f" in name:
        with pytest.raises(AssertionError, match="no address of storage"):
            await put(world, url=path)
    else:
        assert (await put(world, url=path)).problem["code"] == "invalid-digest"
    assert files_in(data_folder) == []


@stores
async def test_a_full_disk_is_said_so_and_leaves_nothing_behind(
    world: World, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(part: Part, chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Part, "write", write)
    answer = await put(world)
    assert (answer.status, answer.problem["code"]) == (507, "insufficient-storage")
    assert (await rows(), files_in(data_folder)) == ((0, 0), [])


@stores
async def test_a_disk_that_fails_otherwise_is_a_fault(
    world: World, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(part: Part) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Part, "keep", keep)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        await put(world)
    assert (await rows(), files_in(data_folder)) == ((0, 0), [])


@stores
async def test_an_upload_that_falls_asleep_is_ended(
    world: World, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.api.wire.IDLE_SECONDS", 0.05)
    answer = await put(world, ())
    assert (answer.status, answer.problem["code"]) == (408, "request-timeout")
    assert files_in(data_folder) == []


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
async def test_a_blob_is_put_got_and_headed_only(world: World, method: str) -> None:
    answer = await call(streams(world), method, URL)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, PUT")
    assert answer.problem["code"] == "method-not-allowed"

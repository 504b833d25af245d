# SPDX-License-Identifier: Apache-2.0
"""Large files in parts, over HTTP: out of order, twice, after the end, cut, expired or foreign."""

from __future__ import annotations

import hashlib
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from assay.signing.client.parts import FROM_BYTES
from registry.accounts.models import Token
from registry.hub.parts import MULTIPART_ABOVE
from registry.storage import quotas
from registry.storage import services as storage
from registry.storage.assembling import PART_BYTES
from registry.storage.files import parts_folder
from registry.storage.models import Blob, Holding, WaitingPart
from tests.registry.catalog.world import World, build
from tests.registry.hub.test_committing import BATCH
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = b"0123456789abcdef" * (4 * 1024**2 + 1)  # 64 MiB and 16 bytes: two parts and a rest
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a batch told a client."""

    whole: str
    parts: dict[int, str]
    chunk_size: int

    def content(self, number: int) -> bytes:
        return CONTENT[(number - 1) * self.chunk_size : number * self.chunk_size]


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture(autouse=True)
def nothing_waits(live: Live) -> None:
    """Tests have the registry's folder in common."""
    shutil.rmtree(parts_folder() / ".assembled", ignore_errors=True)


@pytest.fixture
def alice(live: Live, world: World) -> Iterator[httpx.Client]:
    with live.client(secret_of(world.people.alice, "publish")) as client:
        yield client


@pytest.fixture
def nobody(live: Live) -> Iterator[httpx.Client]:
    """As clients send parts: without a token."""
    with live.client() as client:
        yield client


def asked(client: httpx.Client, *transfers: str) -> Any:  # noqa: ANN401 - JSON
    listed = [{"oid": SHA256, "size": len(CONTENT)}]
    body = {"operation": "upload", "objects": listed, "transfers": transfers}
    return client.post(BATCH, json=body).json()


def begun(client: httpx.Client) -> Upload:
    (found,) = asked(client, "basic", "multipart")["objects"]
    upload = found["actions"]["upload"]
    parts = {int(key): urlsplit(url).path for key, url in upload["header"].items() if key.isdigit()}
    size = int(upload["header"]["chunk_size"])
    return Upload(whole=urlsplit(upload["href"]).path, parts=parts, chunk_size=size)


def sent(client: httpx.Client, upload: Upload, number: int) -> dict[str, object]:
    answer = client.put(upload.parts[number], content=upload.content(number))
    assert answer.status_code == 200
    return {"partNumber": number, "etag": answer.headers["ETag"]}


def completed(client: httpx.Client, upload: Upload, *parts: object) -> httpx.Response:
    return client.post(upload.whole, json={"oid": SHA256, "parts": list(parts)})


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_one_answer_has_no_more_addresses_than_anybody_needs(alice: httpx.Client) -> None:
    listed = [{"oid": f"{number:064x}", "size": 64 * 2**30} for number in range(17)]
    body = {"operation": "upload", "objects": listed, "transfers": ["basic", "multipart"]}
    answer = alice.post(BATCH, json=body)
    assert answer.status_code == 413
    assert "expected files of at most 4096 parts together, found 4352" in answer.text


def test_parts_are_offered_to_who_takes_them(alice: httpx.Client) -> None:
    assert asked(alice, "basic", "multipart")["transfer"] == "multipart"
    for transfers in (("basic",), (), ("basic", "xet")):
        found = asked(alice, *transfers)
        assert found["transfer"] == "basic"
        assert "header" not in found["objects"][0]["actions"]["upload"]
    upload = begun(alice)
    assert (sorted(upload.parts), upload.chunk_size) == ([1, 2, 3], PART_BYTES)


def test_our_own_command_sends_in_parts_what_is_taken_in_parts() -> None:
    assert FROM_BYTES == MULTIPART_ABOVE


def test_who_begins_again_is_told_what_has_come(alice: httpx.Client, nobody: httpx.Client) -> None:
    assert asked(alice, "multipart")["objects"][0]["parts"] == []
    upload = begun(alice)
    etags = {number: str(sent(nobody, upload, number)["etag"]) for number in (3, 1)}
    came = [{"partNumber": number, "etag": etags[number].strip('"')} for number in (1, 3)]
    assert asked(alice, "multipart")["objects"][0]["parts"] == came
    assert "parts" not in asked(alice, "basic")["objects"][0]


def test_parts_in_any_order_and_twice_become_the_file(
    alice: httpx.Client, nobody: httpx.Client
) -> None:
    upload = begun(alice)
    found = {number: sent(nobody, upload, number) for number in (3, 2, 1, 3)}
    assert not Blob.objects.filter(sha256=SHA256).exists()
    parts = [found[number] for number in (1, 2, 3)]
    for _ in range(2):  # the answer may have been lost
        assert completed(nobody, upload, *parts).status_code == 200
    assert Holding.objects.get(blob=SHA256).holder == "user:alice"
    sent(nobody, upload, 1)  # of one who sends the same at the same time, and is later
    assert not WaitingPart.objects.exists()
    said = {"oid": SHA256, "size": len(CONTENT)}
    assert alice.post("/api/lfs/verify", json=said).status_code == 200
    assert "actions" not in asked(alice, "multipart")["objects"][0]


def test_many_who_say_at_once_that_it_is_whole_are_told_so(
    alice: httpx.Client, nobody: httpx.Client
) -> None:
    upload = begun(alice)
    parts = [sent(nobody, upload, number) for number in (1, 2, 3)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: completed(nobody, upload, *parts), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert Holding.objects.get(blob=SHA256).holder == "user:alice"
    assert not WaitingPart.objects.exists()


def test_what_is_missing_is_said_and_the_rest_waits(
    alice: httpx.Client, nobody: httpx.Client
) -> None:
    upload = begun(alice)
    assert code(completed(nobody, upload, {"partNumber": 1, "etag": "a" * 64}))[0] == 409
    first, third = sent(nobody, upload, 1), sent(nobody, upload, 3)
    other = {"partNumber": 2, "etag": "a" * 64}
    for parts, status, said in (
        ((first, third), 422, "expected part 2 next"),
        ((third, first), 422, "expected part 1 next"),
        ((first,), 422, "expected 3 parts, found 1"),
        ((first, other, third), 422, "expected part 2 to have come"),
        ((first, {"partNumber": 2, "etag": "../x"}, third), 400, "expected 64 lower-case"),
    ):
        answer = completed(nobody, upload, *parts)
        assert answer.status_code == status, said
        assert said in answer.headers["X-Error-Message"]
    assert completed(nobody, upload, first, sent(nobody, upload, 2), third).status_code == 200


def test_a_part_that_is_cut_or_of_another_length_is_not_there(
    alice: httpx.Client, nobody: httpx.Client, live: Live
) -> None:
    upload = begun(alice)
    before = set(parts_folder().glob(".part-*"))  # of processes that other tests have killed
    short = nobody.put(upload.parts[3], content=b"0123")
    assert code(short) == (422, "truncated-upload")
    place = urlsplit(live.url)
    with socket.create_connection((place.hostname, place.port or 80), timeout=10) as to:
        head = f"PUT {upload.parts[1]} HTTP/1.1\r\nHost: localhost\r\n"
        to.sendall(f"{head}Content-Length: {PART_BYTES}\r\n\r\n".encode() + CONTENT[:100_000])
    until(lambda: set(parts_folder().glob(".part-*")) <= before)
    assert list((parts_folder() / ".assembled").glob("*")) == []


def test_an_address_is_good_for_its_part_alone(
    alice: httpx.Client, nobody: httpx.Client, world: World
) -> None:
    upload = begun(alice)
    rest = upload.content(3)
    assert code(nobody.put(upload.whole, content=CONTENT)) == (403, "grant-refused")
    assert code(nobody.put(f"{upload.parts[3]}x", content=rest)) == (403, "grant-refused")
    assert code(completed(nobody, Upload(whole=upload.parts[1], parts={}, chunk_size=1)))[0] == 403
    other = nobody.post(upload.whole, json={"oid": "a" * 64, "parts": []})
    assert code(other) == (403, "grant-refused")
    plain = upload.parts[3].replace("/parts/", "/objects/")
    assert code(nobody.put(plain, content=rest)) == (403, "grant-refused")
    assert nobody.post(upload.whole, content=b"x" * 70_000).status_code == 413
    assert nobody.get(upload.whole).status_code == 405
    Token.objects.filter(user=world.people.alice).update(revoked_at="2026-01-01T00:00Z")
    assert nobody.put(upload.parts[3], content=rest).status_code == 401
    assert completed(nobody, upload).status_code == 401


def test_other_bytes_than_were_announced_leave_nothing(
    alice: httpx.Client, nobody: httpx.Client
) -> None:
    upload = begun(alice)
    parts = [sent(nobody, upload, number) for number in (1, 2)]
    wrong = nobody.put(upload.parts[3], content=b"x" * len(upload.content(3)))
    parts.append({"partNumber": 3, "etag": wrong.headers["ETag"]})
    assert code(completed(nobody, upload, *parts)) == (422, "digest-mismatch")
    assert list((parts_folder() / ".assembled").glob("*")) == []
    assert not Blob.objects.filter(sha256=SHA256).exists()


def test_parts_that_wait_count_against_the_quota(alice: httpx.Client, nobody: httpx.Client) -> None:
    upload = begun(alice)
    quotas.allow("user:alice", len(CONTENT) - 1)
    refused = nobody.put(upload.parts[3], content=upload.content(3))
    assert code(refused) == (413, "quota-exceeded")
    quotas.allow("user:alice", len(CONTENT))
    sent(nobody, upload, 3)
    other = alice.put(f"/api/v1/blobs/sha256:{'a' * 64}", content=bytes(len(CONTENT) - 15))
    assert code(other) == (413, "quota-exceeded")
    parts = [sent(nobody, upload, number) for number in (1, 2, 3)]
    assert completed(nobody, upload, *parts).status_code == 200


def test_who_was_erased_meanwhile_has_sent_nothing(
    alice: httpx.Client, nobody: httpx.Client, world: World
) -> None:
    upload = begun(alice)
    sent(nobody, upload, 3)
    storage.forget_holder("user:alice")
    assert list((parts_folder() / ".assembled").glob("*")) == []
    world.people.alice.is_active = False
    world.people.alice.save()
    late = nobody.put(upload.parts[3], content=upload.content(3))
    assert late.status_code == 401

# SPDX-License-Identifier: Apache-2.0
"""Uploads and commits over HTTP: all of it is there and signed, or nothing is, and why is said."""

from __future__ import annotations

import hashlib
import json
import socket
from base64 import b64encode
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from registry.catalog.models import Checkpoint, Revision
from registry.catalog.queries import revisions
from registry.storage.files import parts_folder
from registry.storage.models import Blob, Holding
from tests.registry.catalog.world import World, build
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)

COMMIT = "/api/models/lab/small/commit/main"
BATCH = "/lab/small.git/info/lfs/objects/batch"
HEADER = {"key": "header", "value": {"summary": "Add", "description": ""}}
BIG = b"large " * 400_000


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def alice(live: Live, world: World) -> Iterator[httpx.Client]:
    with live.client(secret_of(world.people.alice, "publish")) as client:
        yield client


def file(path: str, content: bytes) -> dict[str, object]:
    encoded = b64encode(content).decode()
    return {"key": "file", "value": {"path": path, "content": encoded, "encoding": "base64"}}


def large(path: str, content: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    value = {"path": path, "algo": "sha256", "oid": sha256, "size": len(content)}
    return {"key": "lfsFile", "value": value}


def header(**values: object) -> dict[str, object]:
    return {"key": "header", "value": {"summary": "Add", **values}}


def lines(*values: object) -> bytes:
    return b"\n".join(json.dumps(value).encode() for value in values)


def granted(client: httpx.Client, content: bytes) -> str:
    """The path of the address that one upload is granted at."""
    sha256 = hashlib.sha256(content).hexdigest()
    body = {"operation": "upload", "objects": [{"oid": sha256, "size": len(content)}]}
    (found,) = client.post(BATCH, json=body).json()["objects"]
    return str(urlsplit(found["actions"]["upload"]["href"]).path)


def test_a_large_and_a_small_file_become_one_signed_revision(
    alice: httpx.Client, live: Live, world: World
) -> None:
    path = granted(alice, BIG)
    with live.client() as nobody:  # as clients do: the address alone authorises
        put = nobody.put(path, content=BIG)
    assert (put.status_code, put.headers["ETag"].strip('"')) == (
        200,
        hashlib.sha256(BIG).hexdigest(),
    )
    body = lines(HEADER, file("a.txt", b"a"), large("big.txt", BIG))
    said = alice.post(COMMIT, content=body).json()
    assert said["commitUrl"] == f"{live.url}/lab/small/commit/{said['commitOid']}"
    found = revisions.find(world.project, "main")
    assert found.oid == said["commitOid"]
    assert alice.get("/lab/small/resolve/main/big.txt").content == BIG


def parts() -> set[Path]:
    """Unfinished uploads: of a process that another test killed, too."""
    return set(parts_folder().glob(".part-*"))


def test_other_bytes_than_were_granted_are_refused_and_not_kept(
    alice: httpx.Client, live: Live
) -> None:
    path, before = granted(alice, BIG), parts()
    with live.client() as nobody:
        for changed in (BIG[:-1], BIG + b"x", b"L" + BIG[1:]):
            refused = nobody.put(path, content=changed)
            assert refused.status_code == 422
            assert refused.headers["X-Error-Message"].startswith("expected ")
            assert not Blob.objects.filter(pk=hashlib.sha256(changed).hexdigest()).exists()
        assert nobody.delete(path).status_code == 405
        assert nobody.get(path).status_code == 403
        assert nobody.options(path).status_code == 204
        assert nobody.put(path[:-2], content=BIG).status_code == 403
    until(lambda: parts() <= before)


def test_an_upload_that_breaks_off_leaves_nothing(alice: httpx.Client, live: Live) -> None:
    path, place, before = granted(alice, BIG), urlsplit(live.url), parts()
    with socket.create_connection((place.hostname, place.port or 80), timeout=10) as to:
        head = f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BIG)}\r\n\r\n"
        to.sendall(head.encode() + BIG[:1_000_000])
    until(lambda: parts() <= before)
    assert not Blob.objects.filter(pk=hashlib.sha256(BIG).hexdigest()).exists()


def value(key: str, **values: object) -> dict[str, object]:
    return {"key": key, "value": {"path": "a", "size": 1, "oid": "a" * 64, **values}}


WRONG = (
    (b"", "expected a header, found none"),
    (lines(file("a.txt", b"a")), "expected a header, found none"),
    (lines(HEADER, HEADER), "expected one header, found two"),
    (lines(header(summary=" ")), "summary: expected some text"),
    (lines(header(parentCommit=1)), "parentCommit: expected text"),
    (lines(HEADER, value("other")), "found 'other'"),
    (lines(HEADER, {"key": "file"}), "expected a line with a key and a value"),
    (lines(HEADER, [1]), "expected a JSON object"),
    (b"{", "expected JSON"),
    (b"\xff", "expected UTF-8"),
    (lines(HEADER, file("../a", b"a")), "expected a relative path"),
    (lines(HEADER, file("model.sig", b"a")), "model.sig"),
    (lines(HEADER, file("a.txt", b"a" * 1_100_000)), "send larger files by LFS"),
    (lines(HEADER, value("file", content="!", encoding="base64")), "expected base64"),
    (lines(HEADER, value("file", content="é", encoding="base64")), "expected base64"),
    (lines(HEADER, value("file", content="", encoding="hex")), "expected base64 or utf-8"),
    (lines(HEADER, value("lfsFile", oid="x")), "64 lower-case"),
    (lines(HEADER, value("lfsFile", size=-1)), "expected a size"),
    (lines(HEADER, value("lfsFile", algo="md5")), "expected sha256"),
    (lines(HEADER, value("deletedFile", path=1)), "path: expected text"),
    (lines(HEADER, value("deletedFolder")), "expected files in a folder 'a'"),
    (lines(HEADER), "expected at least one file to be left"),
)


def test_a_commit_that_is_none_is_refused(alice: httpx.Client) -> None:
    for body, said in WRONG:
        answer = alice.post(COMMIT, content=body)
        assert answer.status_code in {400, 422}, said
        assert said in answer.headers["X-Error-Message"]
    assert not Checkpoint.objects.exists()


def test_a_line_without_end_and_a_body_cut_short_are_refused(
    alice: httpx.Client, live: Live
) -> None:
    def chunks() -> Iterable[bytes]:
        for _ in range(60):
            yield b"x" * 65_536

    assert alice.post(COMMIT, content=chunks()).status_code == 413
    place = urlsplit(live.url)
    with socket.create_connection((place.hostname, place.port or 80), timeout=10) as to:
        secret = alice.headers["Authorization"]
        head = f"POST {COMMIT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {secret}\r\n"
        to.sendall(f"{head}Content-Length: 500\r\n\r\n".encode() + lines(HEADER, file("a", b"a")))
    assert not Checkpoint.objects.exists()


def test_a_file_that_is_copied_comes_without_its_size_for_who_has_it(
    alice: httpx.Client, live: Live, world: World
) -> None:
    with live.client() as nobody:
        nobody.put(granted(alice, BIG), content=BIG)
    secret = b"secret " * 300_000
    with live.client(secret_of(world.people.charlie, "publish")) as charlie:
        sha256 = hashlib.sha256(secret).hexdigest()
        assert charlie.put(f"/api/v1/blobs/sha256:{sha256}", content=secret).status_code == 201
    answers = [alice.post(COMMIT, content=copied(each)) for each in (secret, b"unknown", BIG)]
    assert [answer.status_code for answer in answers] == [422, 422, 200]
    theirs, unknown = (answer.headers["X-Error-Message"] for answer in answers[:2])
    assert theirs.replace(sha256, hashlib.sha256(b"unknown").hexdigest()) == unknown
    assert alice.get("/lab/small/resolve/main/copy.txt").content == BIG


def copied(content: bytes) -> bytes:
    operation = large("copy.txt", content)
    value = {name: each for name, each in operation["value"].items() if name != "size"}
    return lines(HEADER, {**operation, "value": value})


def test_what_does_not_fit_is_refused_and_nothing_changes(
    alice: httpx.Client, live: Live, world: World
) -> None:
    first = alice.post(COMMIT, content=lines(HEADER, file("a.txt", b"a"))).json()["commitOid"]
    never_sent = alice.post(COMMIT, content=lines(HEADER, large("b.txt", BIG)))
    assert (never_sent.status_code, never_sent.json()["code"]) == (422, "blob-missing")
    stale = alice.post(COMMIT, content=lines(header(parentCommit="0" * 40), file("b.txt", b"b")))
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-parent")
    elsewhere = alice.post(COMMIT.replace("main", "dev"), content=lines(HEADER, file("b", b"b")))
    assert elsewhere.headers["X-Error-Code"] == "RevisionNotFound"
    assert alice.post(f"{COMMIT}/x", content=lines(HEADER)).status_code == 400
    assert alice.get(COMMIT).status_code == 405
    assert alice.options(COMMIT).status_code == 204
    with (
        live.client(secret_of(world.people.charlie, "publish")) as charlie,
        live.client() as nobody,
    ):
        assert charlie.post(COMMIT, content=lines(HEADER)).status_code == 403
        assert nobody.post(COMMIT, content=lines(HEADER)).status_code == 401
    assert revisions.find(world.project, "main").oid == first


def test_of_two_writers_with_one_parent_one_is_told_and_nothing_is_lost(
    alice: httpx.Client, world: World
) -> None:
    first = alice.post(COMMIT, content=lines(HEADER, file("a.txt", b"a"))).json()["commitOid"]

    def write(name: str) -> int:
        body = lines(header(parentCommit=first), file(name, name.encode()))
        return alice.post(COMMIT, content=body).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(write, ("b.txt", "c.txt", "d.txt", "e.txt")))
    assert answers == [200, 412, 412, 412]
    assert len(revisions.history(revisions.find(world.project, "main"), limit=9)) == 2


def test_writers_without_a_parent_follow_each_other(alice: httpx.Client, world: World) -> None:
    def write(name: str) -> int:
        body = lines(HEADER, file(name, name.encode()))
        for _ in range(10):
            answer = alice.post(COMMIT, content=body)
            if answer.status_code != 503:
                break
            assert answer.headers["Retry-After"]
        return answer.status_code

    names = ("a.txt", "b.txt", "c.txt")
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(write, names)) == [200, 200, 200]
    files = {each["path"] for each in alice.get("/api/models/lab/small/tree/main").json()}
    assert set(names) < files
    assert Revision.objects.count() == 3


def test_without_the_signer_a_commit_is_told_to_come_again_and_then_is_there(
    alice: httpx.Client, world: World, authority: Authority
) -> None:
    authority.stop()
    body = lines(header(parentCommit="0" * 40), file("a.txt", b"a"))
    refused = alice.post(COMMIT, content=body)
    assert (refused.status_code, bool(refused.headers["Retry-After"])) == (503, True)
    assert revisions.find(world.project, "main").checkpoint is None
    authority.start()
    done = alice.post(COMMIT, content=body)
    assert done.status_code == 200
    assert revisions.find(world.project, "main").oid == done.json()["commitOid"]
    assert Holding.objects.filter(holder="user:alice").exists()

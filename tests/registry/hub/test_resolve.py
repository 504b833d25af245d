# SPDX-License-Identifier: Apache-2.0
"""Files by revision, over HTTP: the headers that each client goes by, in one direct answer."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from registry.catalog import services
from registry.catalog.queries.revisions import Kind, find
from tests.registry.catalog.world import FILES, World, build, by_person, publish
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

pytestmark = pytest.mark.django_db(transaction=True)

WEIGHTS = "/lab/small/resolve/main/model.safetensors"
CARD = "/lab/small/resolve/main/README.md"


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


def test_head_and_get_say_the_same_of_large_and_other_files(world: World, live: Live) -> None:
    oid, weights = publish(by_person(world)).oid, FILES["model.safetensors"]
    sha256 = hashlib.sha256(weights).hexdigest()
    with live.client() as client:
        for answer in (client.head(WEIGHTS), client.get(WEIGHTS)):
            assert (answer.status_code, answer.headers["X-Repo-Commit"]) == (200, oid)
            assert answer.headers["ETag"] == answer.headers["X-Linked-Etag"] == f'"{sha256}"'
            assert answer.headers["X-Linked-Size"] == str(len(weights))
            assert answer.headers["Content-Length"] == str(len(weights))
            assert answer.headers["Accept-Ranges"] == "bytes"
            assert 'filename="model.safetensors"' in answer.headers["Content-Disposition"]
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.headers["X-Request-Id"]
            assert "X-Xet-Hash" not in answer.headers
            assert not answer.has_redirect_location
        assert client.get(WEIGHTS).content == weights
        card = client.head(CARD).headers
    assert card["ETag"] == f'"{git_name(FILES["README.md"])}"'
    assert "X-Linked-Size" not in card


def test_ranges_and_what_is_known_already(world: World, live: Live) -> None:
    publish(by_person(world))
    weights = FILES["model.safetensors"]
    with live.client() as client:
        part = client.get(WEIGHTS, headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, weights[2:6])
        assert part.headers["Content-Range"] == f"bytes 2-5/{len(weights)}"
        assert part.headers["X-Repo-Commit"]
        etag = part.headers["ETag"]
        known = client.get(WEIGHTS, headers={"If-None-Match": etag})
        assert (known.status_code, known.headers["ETag"]) == (304, etag)
        beyond = client.get(WEIGHTS, headers={"Range": "bytes=999999-"})
        assert beyond.status_code == 416
        assert beyond.headers["Content-Range"] == f"bytes */{len(weights)}"


def test_raw_is_what_git_would_have(world: World, live: Live) -> None:
    publish(by_person(world))
    sha256 = hashlib.sha256(FILES["model.safetensors"]).hexdigest()
    with live.client() as client:
        pointer = client.get("/lab/small/raw/main/model.safetensors").text
        assert pointer.splitlines()[1] == f"oid sha256:{sha256}"
        listed = client.get("/api/models/lab/small/tree/main").json()
        assert client.get("/lab/small/raw/main/README.md").content == FILES["README.md"]
    (file,) = (each for each in listed if each["path"] == "model.safetensors")
    assert file["lfs"]["pointerSize"] == len(pointer)
    assert file["oid"] == git_name(pointer.encode())


def test_a_branch_with_a_slash_is_found_as_clients_write_it(world: World, live: Live) -> None:
    publish(by_person(world, files={**FILES, "x/config.json": b"{}"}))
    alice, at = world.people.alice, find(world.project, "main")
    services.add_ref(world.project, Kind.BRANCH, "dev/x", at, by=alice, actor=alice.actor)
    with live.client() as client:
        assert client.head("/lab/small/resolve/dev%2Fx/config.json").status_code == 200
        assert client.head("/lab/small/resolve/dev%2Fx/x%2Fconfig.json").status_code == 200
        assert client.head("/lab/small/resolve/dev/x/config.json").status_code == 404
        assert (
            client.get("/api/models/lab/small/tree/dev%2Fx/x").json()[0]["path"] == "x/config.json"
        )


def test_what_is_not_there_says_which_part(world: World, live: Live) -> None:
    checkpoint = publish(by_person(world))
    token = secret_of(world.people.charlie, "read")
    with live.client(token) as charlie, live.client() as nobody:
        for path, code in (
            ("/lab/none/resolve/main/a", "RepoNotFound"),
            ("/lab/small/resolve/dev/README.md", "RevisionNotFound"),
            ("/lab/small/resolve/main/none", "EntryNotFound"),
            ("/lab/small/resolve/main/", "EntryNotFound"),
        ):
            answer = charlie.head(path)
            assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, code)
            assert answer.headers["X-Error-Message"].startswith("expected ")
            hidden = 401 if code == "RepoNotFound" else 404
            assert nobody.get(path).status_code == hidden
        assert (
            charlie.head("/lab/small/resolve/main/none").headers["X-Repo-Commit"] == checkpoint.oid
        )
        assert charlie.put(WEIGHTS, content=b"").headers["Allow"] == "GET, HEAD, OPTIONS"
        assert charlie.options(WEIGHTS).status_code == 204
    with live.client("hf_nothing") as stranger:
        assert stranger.get(WEIGHTS).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/lab/small/resolve/main/%00",
        "/lab/small/resolve/%ff/README.md",
        "/lab/small/resolve/main/../../../../etc/passwd",
        "/lab/small/resolve/main/..%2f..%2fsecret",
        "/lab/small/resolve/" + "a" * 5000 + "/b",
        "/lab/small/resolve/main/" + "a/" * 3000,
        "/%2e%2e/small/resolve/main/README.md",
    ],
)
def test_a_hostile_address_is_a_clean_refusal(world: World, live: Live, path: str) -> None:
    publish(by_person(world))
    assert status_of(live, path) in {400, 401, 404, 414}


def git_name(content: bytes) -> str:
    """As git itself says it."""
    command = ("git", "hash-object", "--stdin")
    said = subprocess.run(command, input=content, capture_output=True, check=True)
    return said.stdout.decode().strip()


def status_of(live: Live, path: str) -> int:
    """The path as it is: a client's library would clean it."""
    place = urlsplit(live.url)
    with socket.create_connection((place.hostname, place.port or 80), timeout=10) as to:
        to.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return int(to.recv(64).split()[1])

# SPDX-License-Identifier: Apache-2.0
"""The client turns refusals into errors, checks every digest, and keeps its token to itself."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.signing import canonical
from assay.signing.client import ClientError, RegistryClient, RegistryUnreachable, is_loopback
from assay.signing.client import registry as module
from assay.signing.digests import CHUNK_BYTES, sha256
from assay.signing.errors import DigestMismatch, InvalidDocument
from tests.signing.client.registry import TRUST_ROOT, Answer, Loopback
from tests.signing.world import World

TOKEN = "assay_canary0123456789"
BLOB = b"weights" * 1000
DIGEST = sha256(BLOB)
BLOB_PATH = f"/api/v1/blobs/sha256:{DIGEST}"
LIMIT = 200_000


@pytest.fixture
def client(registry: Loopback) -> Iterator[RegistryClient]:
    """Alice's client of it."""
    with RegistryClient(registry.url + "/", TOKEN) as speaking:
        yield speaking


def test_the_trust_root_is_read_strictly(
    registry: Loopback, client: RegistryClient, world: World
) -> None:
    registry.on("GET", TRUST_ROOT, Answer(body=world.trust.canonical()))
    assert client.trust_root() == world.trust
    registry.on("GET", TRUST_ROOT, Answer(body=b'{"type":1.5}'))
    with pytest.raises(InvalidDocument):
        client.trust_root()


def test_json_is_got_and_posted_with_the_token(registry: Loopback, client: RegistryClient) -> None:
    registry.on_json("GET", "/api/v1/projects?cursor=x", {"results": [1.5]})
    registry.on_json("POST", "/api/v1/leases", {"id": "1"}, status=201)
    assert client.get_json("/api/v1/projects", {"cursor": "x"}) == {"results": [1.5]}
    answer = client.post_json("/api/v1/leases", {"node": "né"}, idempotency_key="once")
    assert answer == {"id": "1"}
    got, posted = registry.seen
    assert got.headers["Authorization"] == posted.headers["Authorization"] == f"Bearer {TOKEN}"
    assert posted.headers["Idempotency-Key"] == "once"
    assert posted.headers["Content-Type"] == "application/json"
    assert json.loads(posted.body) == {"node": "né"}


def test_without_a_token_none_is_sent(registry: Loopback) -> None:
    registry.on_json("POST", "/api/v1/leases", {})
    with RegistryClient(registry.url) as stranger:
        stranger.post_json("/api/v1/leases", {})
    (seen,) = registry.seen
    assert seen.headers.get("Authorization") is None
    assert seen.headers.get("Idempotency-Key") is None


def test_an_answer_without_content_is_none(registry: Loopback, client: RegistryClient) -> None:
    registry.on("POST", "/api/v1/leases", Answer(status=204))
    assert client.post_json("/api/v1/leases", {}) is None


def test_a_problem_is_an_error_that_says_it(registry: Loopback, client: RegistryClient) -> None:
    problem = {"title": "No", "detail": "expected a scope, found none", "code": "missing-scope"}
    registry.on_json("POST", "/api/v1/outputs", problem, status=403)
    with pytest.raises(ClientError, match="expected a scope, found none") as caught:
        client.post_json("/api/v1/outputs", {})
    assert (caught.value.status, caught.value.problem) == (403, "missing-scope")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "answered 502 Bad Gateway"),
        (b"[1]", "answered 502 Bad Gateway"),
        (b"[" * 100_000, "answered 502 Bad Gateway"),
        (b'{"title":"' + b"x" * LIMIT + b'"}', "answered 502 Bad Gateway"),
        (b"{}", "answered 502: Bad Gateway"),
        (b'{"title":"Down","code":7}', "answered 502: Down"),
    ],
)
def test_a_refusal_that_is_no_problem_document_is_an_error_too(
    registry: Loopback,
    client: RegistryClient,
    monkeypatch: pytest.MonkeyPatch,
    body: bytes,
    said: str,
) -> None:
    monkeypatch.setattr(module, "MAX_JSON_BYTES", LIMIT)
    registry.on("GET", "/api/v1/projects", Answer(status=502, body=body))
    with pytest.raises(ClientError, match=said) as caught:
        client.get_json("/api/v1/projects")
    assert caught.value.problem is None


def test_a_redirect_is_not_followed_with_the_token(
    registry: Loopback, client: RegistryClient
) -> None:
    registry.on("GET", "/old", Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}))
    with pytest.raises(ClientError, match="302"):
        client.get_json("/old")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_not_json_is_an_error(
    registry: Loopback, client: RegistryClient, body: bytes
) -> None:
    registry.on("GET", "/x", Answer(body=body))
    with pytest.raises(ClientError, match="expected JSON"):
        client.get_json("/x")


def test_an_answer_without_end_is_an_error(
    registry: Loopback, client: RegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_JSON_BYTES", 100)
    registry.on("GET", "/x", Answer(body=b" " * 101))
    with pytest.raises(ClientError, match="at most 100 bytes"):
        client.get_json("/x")


def test_a_blob_is_uploaded_under_its_digest(
    registry: Loopback, client: RegistryClient, tmp_path: Path
) -> None:
    (tmp_path / "weights").write_bytes(BLOB)
    registry.on("PUT", BLOB_PATH, Answer(status=201))
    assert client.put_blob(tmp_path / "weights") == DIGEST
    (seen,) = registry.seen
    assert (seen.body, seen.headers["Content-Length"]) == (BLOB, str(len(BLOB)))


def test_a_blob_appears_when_it_is_whole(
    registry: Loopback, client: RegistryClient, tmp_path: Path
) -> None:
    registry.on("GET", BLOB_PATH, Answer(body=BLOB))
    client.get_blob(DIGEST, len(BLOB), tmp_path / "weights")
    assert hashlib.sha256((tmp_path / "weights").read_bytes()).hexdigest() == DIGEST
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(body=BLOB[:-1] + b"?"), DigestMismatch),
        (Answer(body=BLOB[:-1]), DigestMismatch),
        (Answer(body=BLOB, is_cut=True), RegistryUnreachable),
        (Answer(status=404), ClientError),
    ],
)
def test_nothing_stays_of_a_blob_that_failed(
    registry: Loopback,
    client: RegistryClient,
    tmp_path: Path,
    answer: Answer,
    error: type[Exception],
) -> None:
    registry.on("GET", BLOB_PATH, answer)
    with pytest.raises(error):
        client.get_blob(DIGEST, len(BLOB), tmp_path / "weights")
    assert list(tmp_path.iterdir()) == []


def test_of_a_blob_that_is_too_long_the_rest_is_not_read(
    registry: Loopback, client: RegistryClient, tmp_path: Path
) -> None:
    registry.on("GET", BLOB_PATH, Answer(body=bytes(3 * CHUNK_BYTES)))
    with pytest.raises(DigestMismatch, match=f"of {len(BLOB)} bytes, .* of {CHUNK_BYTES}$"):
        client.get_blob(DIGEST, len(BLOB), tmp_path / "weights")
    assert list(tmp_path.iterdir()) == []


def test_a_registry_that_is_not_there_is_said_to_be_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with (
        RegistryClient(url, TOKEN) as client,
        pytest.raises(RegistryUnreachable, match=f"{url} cannot be reached") as caught,
    ):
        client.get_json("/")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[", "http://\x00", "ftp://x", "http:///", "nonsense"])
def test_a_url_that_is_none_is_an_error(url: str) -> None:
    with RegistryClient(url) as client, pytest.raises(RegistryUnreachable):
        client.trust_root()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8000", True),
        ("http://127.0.0.9", True),
        ("https://[::1]:1", True),
        ("https://localhost.example", False),
        ("https://192.0.2.1", False),
        ("http://[", False),
    ],
)
def test_only_this_machine_is_loopback(url: str, *, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_canonical_json_is_not_demanded_of_answers(
    registry: Loopback, client: RegistryClient
) -> None:
    registry.on("GET", "/x", Answer(body=b' {"b": 1, "a": 0.5} '))
    value = canonical.as_mapping(client.get_json("/x"), "answer")
    assert value["a"] == 0.5

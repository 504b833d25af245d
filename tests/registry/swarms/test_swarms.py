# SPDX-License-Identifier: Apache-2.0
"""Metalinks and torrents over HTTP: what is in them, when, and of what there is none."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest
from django.db import transaction
from django.utils import timezone

from registry.asgi import application
from registry.storage import services as storage
from registry.storage.errors import BlobDamaged, BlobLost
from registry.storage.folder import Folder
from registry.storage.models import Blob
from registry.storage.places import primary
from registry.swarms import services, tasks
from registry.swarms.errors import NotCut
from registry.swarms.models import Pieces
from tests.registry.callers import InMemory
from tests.registry.catalog.world import FILES, World, build, by_person, publish
from tests.registry.people import invite
from tests.running import Authority, Live
from tests.until import until

HERE = "http://localhost"
pytestmark = pytest.mark.django_db(transaction=True)

LONG = b"word " * 200_000
SPACE = {"m": "urn:ietf:params:xml:ns:metalink"}


@pytest.fixture
def world(transactional_db: None, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def anybody() -> httpx.Client:
    return httpx.Client(transport=InMemory(application=application), base_url=HERE)


def large() -> bytes:
    """Weights of more bytes than are cut at once."""
    count = services.AT_ONCE_BYTES + 5
    header = b'{"x":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (count, count)
    return len(header).to_bytes(8, "little") + header + bytes(count)


def address(path: str, kind: str, revision: str = "main") -> str:
    return f"/lab/small/resolve/{revision}/{path}?as={kind}"


def test_a_metalink_has_the_file_and_its_pieces(world: World, anybody: httpx.Client) -> None:
    oid = publish(by_person(world, files={**FILES, "a/long text.txt": LONG})).oid
    answer = anybody.get(address("a/long%20text.txt", "meta4"))
    assert answer.headers["Content-Type"] == "application/metalink4+xml"
    assert 'filename="long text.txt.meta4"' in answer.headers["Content-Disposition"]
    (file,) = ET.fromstring(answer.content).findall("m:file", SPACE)  # noqa: S314 - it is ours
    assert file.get("name") == "long text.txt"
    assert file.findtext("m:size", namespaces=SPACE) == str(len(LONG))
    assert file.findtext("m:hash", namespaces=SPACE) == hashlib.sha256(LONG).hexdigest()
    pieces = [each.text for each in file.findall("m:pieces/m:hash", SPACE)]
    parts = [LONG[at : at + 262_144] for at in range(0, len(LONG), 262_144)]
    assert pieces == [hashlib.sha256(part).hexdigest() for part in parts]
    url = file.findtext("m:url", namespaces=SPACE)
    assert url == f"{HERE}/lab/small/resolve/{oid}/a/long%20text.txt"
    assert anybody.get(url).content == LONG


def test_a_torrent_seeds_from_the_revision(world: World, anybody: httpx.Client) -> None:
    oid = publish(by_person(world, files={**FILES, "long.txt": LONG})).oid
    answer = anybody.get(address("long.txt", "torrent"))
    url = f"{HERE}/lab/small/resolve/{oid}/long.txt".encode()
    assert answer.headers["Content-Type"] == "application/x-bittorrent"
    assert answer.content.endswith(b"8:url-listl%d:%see" % (len(url), url))
    assert hashlib.sha1(LONG[:262_144], usedforsecurity=False).digest() in answer.content
    head = anybody.head(address("long.txt", "torrent", oid))
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(answer.content)))


def test_pieces_are_hashed_once(world: World, anybody: httpx.Client) -> None:
    publish(by_person(world, files={**FILES, "long.txt": LONG}))
    first = anybody.get(address("long.txt", "meta4")).content
    made_at = Pieces.objects.get().made_at
    assert anybody.get(address("long.txt", "meta4")).content == first
    assert anybody.get(address("long.txt", "torrent")).status_code == 200
    assert Pieces.objects.get().made_at == made_at


def test_a_large_file_is_cut_by_a_worker_while_callers_wait(
    live: Live, world: World, anybody: httpx.Client
) -> None:
    publish(by_person(world, files={"large.safetensors": large()}))
    first = anybody.get(address("large.safetensors", "meta4"))
    assert (first.status_code, first.headers["Retry-After"]) == (503, "10")
    assert first.json()["code"] == "pieces-not-ready"
    until(lambda: Pieces.objects.filter(made_at__isnull=False).exists())
    assert anybody.get(address("large.safetensors", "meta4")).status_code == 200


def test_of_some_things_there_is_none(world: World, anybody: httpx.Client) -> None:
    publish(by_person(world, files={**FILES, "empty.txt": b""}))
    for path, status, code in (
        (address("empty.txt", "torrent"), 404, "nothing-to-share"),
        (address("none", "meta4"), 404, "entry-not-found"),
        (address("", "meta4"), 404, "entry-not-found"),
        (address("README.md", "meta4", "dev"), 404, "revision-unknown"),
        ("/lab/none/resolve/main/README.md?as=meta4", 401, "repo-not-found"),
    ):
        answer = anybody.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    assert anybody.post(address("README.md", "meta4")).headers["Allow"] == "GET, HEAD, OPTIONS"
    assert anybody.options(address("README.md", "meta4")).status_code == 204
    assert anybody.get(address("README.md", "other")).content == FILES["README.md"]


def stored(content: bytes) -> str:
    return storage.store(content, holder="user:alice").sha256


def test_a_nudge_that_was_lost_is_sent_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nudged: list[str] = []
    monkeypatch.setattr(services, "AT_ONCE_BYTES", 10)
    monkeypatch.setattr("registry.wakeups.nudge", lambda _task, sha256: nudged.append(sha256))
    sha256 = stored(LONG)
    for _ in range(3):
        with pytest.raises(NotCut, match="ask again"):
            services.pieces(sha256, len(LONG))
    assert nudged == [sha256]
    Pieces.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(NotCut):
        services.pieces(sha256, len(LONG))
    assert nudged == [sha256, sha256]
    assert services.make(sha256) == services.pieces(sha256, len(LONG)) == services.make(sha256)


def test_bytes_that_rotted_are_not_cut(caplog: pytest.LogCaptureFixture) -> None:
    sha256 = stored(LONG)
    place = primary()
    assert isinstance(place, Folder)
    place.path(sha256).chmod(0o600)
    place.path(sha256).write_bytes(b"W" + LONG[1:])
    with pytest.raises(BlobDamaged, match="found the bytes of"):
        services.make(sha256)
    tasks.make(sha256)
    assert "no pieces of" in caplog.text
    assert not Pieces.objects.exists()


def test_of_what_is_not_here_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BlobLost):
        services.make("ab" * 32)
    monkeypatch.setattr(services, "AT_ONCE_BYTES", 0)
    with pytest.raises(BlobLost):
        services.pieces("ab" * 32, 5)


def test_pieces_go_with_their_blob() -> None:
    sha256 = stored(LONG)
    services.make(sha256)
    with transaction.atomic():
        storage.forget_holder("user:alice")
        storage.drop([sha256], needed=lambda _digests: frozenset())
    assert not Blob.objects.filter(pk=sha256).exists()
    assert not Pieces.objects.exists()

# SPDX-License-Identifier: Apache-2.0
"""Large files in parts where blobs are in a bucket: joined here, and there once they are whole."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from registry.asgi import application
from registry.storage import places
from registry.storage.bucket import Bucket
from registry.storage.files import parts_folder
from registry.storage.models import Blob
from tests.registry.callers import InMemory
from tests.registry.catalog.world import World, build
from tests.registry.hub.test_parts import CONTENT, SHA256, begun, code, completed, sent
from tests.registry.people import invite, secret_of
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(
    transactional_db: None, authority: Authority, bucket: str, tmp_path: Path
) -> Iterator[World]:
    """The registry's blobs are in the bucket from the first on."""
    shutil.rmtree(parts_folder() / ".assembled", ignore_errors=True)
    yield build(invite(), tmp_path / "texts")
    shutil.rmtree(parts_folder() / ".assembled", ignore_errors=True)


def client(token: str = "") -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = InMemory(application=application)
    return httpx.Client(transport=transport, base_url="http://localhost", headers=headers)


def test_parts_become_one_object_of_the_bucket(world: World) -> None:
    token = secret_of(world.people.alice, "publish")
    with client(token) as alice, client() as nobody:
        upload = begun(alice)
        found = {number: sent(nobody, upload, number) for number in (3, 1, 2, 1)}
        place = places.primary()
        assert isinstance(place, Bucket)
        assert place.stamp(SHA256) == ""
        parts = [found[number] for number in (1, 2, 3)]
        for _ in range(2):
            assert completed(nobody, upload, *parts).status_code == 200
        with place.open(SHA256) as stored:
            assert hashlib.sha256(stored.read()).hexdigest() == SHA256
        assert list((parts_folder() / ".assembled").glob("*/*/*")) == []
        part = alice.get(f"/api/v1/blobs/sha256:{SHA256}", headers={"Range": "bytes=16-31"})
        assert (part.status_code, part.content) == (206, CONTENT[16:32])


def test_other_bytes_than_were_announced_never_reach_the_bucket(world: World) -> None:
    token = secret_of(world.people.alice, "publish")
    with client(token) as alice, client() as nobody:
        upload = begun(alice)
        parts = [sent(nobody, upload, number) for number in (1, 2)]
        wrong = nobody.put(upload.parts[3], content=b"x" * len(upload.content(3)))
        parts.append({"partNumber": 3, "etag": wrong.headers["ETag"]})
        assert code(completed(nobody, upload, *parts)) == (422, "digest-mismatch")
    assert places.primary().stamp(SHA256) == ""
    assert not Blob.objects.filter(sha256=SHA256).exists()

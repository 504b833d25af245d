# SPDX-License-Identifier: Apache-2.0
"""Uploads and commits over HTTP, killed at every system call, and failed by the disk at each.

What was acknowledged is there; what is there is whole; and the same request again goes through.
"""

from __future__ import annotations

import hashlib
import json
import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from pytest_django import DjangoDbBlocker

from registry.accounts.models import Token
from registry.catalog import queries, revisions
from registry.catalog.models import Checkpoint, Revision
from registry.hub import grants
from registry.storage import services as storage
from registry.storage.models import Blob, Holding
from tests.crash.killing import CALLS, Forks, require_strace
from tests.registry.catalog.world import World, build
from tests.registry.people import invite, secret_of
from tests.running import Authority
from tests.thorough import points

pytestmark = pytest.mark.django_db(transaction=True)
FEW = 3
# Of a commit, which takes a second each; all of an upload are fewer. Others the next time.
MOST_KILLS, MOST_FAILURES = 120, 20
DISK = ("write", "fsync", "rename", "mkdir")
ACKNOWLEDGED = {"200", "201"}


@pytest.fixture
def world(transactional_db: None, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture(scope="module")
def forks(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Forks]:
    require_strace()
    with django_db_blocker.unblock():
        running = Forks(tmp_path_factory.mktemp("forks"))
    with running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that nobody made before, and what its answer would promise."""

    order: str
    answered: Path
    content: bytes

    @property
    def is_acknowledged(self) -> bool:
        return self.answered.exists() and self.answered.read_text() in ACKNOWLEDGED


class Asking(Protocol):
    """Makes a request of its kind, another one for each number."""

    def __call__(self, world: World, folder: Path, number: int) -> Asked: ...


def ask(folder: Path, number: int, method: str, path: str, **values: object) -> Asked:
    content = values.pop("content")
    assert isinstance(content, bytes)
    body = values.pop("body", content)
    assert isinstance(body, bytes)
    (folder / f"{number}.body").write_bytes(body)
    answered = folder / f"{number}.answered"
    wanted = {"method": method, "path": path, "headers": values, "body": f"{folder}/{number}.body"}
    file = folder / f"{number}.json"
    file.write_text(json.dumps({**wanted, "answered": str(answered)}))
    return Asked(order=f"request {file}", answered=answered, content=content)


def alices(world: World, folder: Path) -> str:
    """One token for all requests of a test."""
    kept = folder / "secret"
    if not kept.exists():
        kept.write_text(secret_of(world.people.alice, "publish"))
    return kept.read_text()


def native(world: World, folder: Path, number: int) -> Asked:
    """`PUT /api/v1/blobs/…`."""
    content = b"native %d" % number
    secret = alices(world, folder)
    path = f"/api/v1/blobs/sha256:{hashlib.sha256(content).hexdigest()}"
    return ask(folder, number, "PUT", path, content=content, Authorization=f"Bearer {secret}")


def by_lfs(world: World, folder: Path, number: int) -> Asked:
    """`PUT /api/lfs/objects/…`."""
    content = b"by lfs %d" % number
    alices(world, folder)
    token = Token.objects.filter(user=world.people.alice).latest("pk")
    sha256 = hashlib.sha256(content).hexdigest()
    grant = grants.give(token, sha256=sha256, size_bytes=len(content))
    return ask(folder, number, "PUT", f"/api/lfs/objects/{grant}", content=content)


def commit(world: World, folder: Path, number: int) -> Asked:
    """A commit of one small file that replaces the one before."""
    content = b"commit %d" % number
    secret = alices(world, folder)
    encoded = b64encode(content).decode()
    lines = (
        {"key": "header", "value": {"summary": f"Number {number}"}},
        {"key": "file", "value": {"path": "a.txt", "content": encoded, "encoding": "base64"}},
    )
    body = b"\n".join(json.dumps(each).encode() for each in lines)
    path = "/api/models/lab/small/commit/main"
    return ask(
        folder, number, "POST", path, content=content, body=body, Authorization=f"Bearer {secret}"
    )


def check_upload(asked: Asked) -> None:
    """Acknowledged: it is the sender's. A row: its bytes, all of them."""
    sha256 = hashlib.sha256(asked.content).hexdigest()
    is_there = Blob.objects.filter(pk=sha256).exists()
    is_held = Holding.objects.filter(blob=sha256, holder="user:alice").exists()
    assert is_there == is_held
    assert is_there or not asked.is_acknowledged
    if is_there:
        with storage.open_blob(sha256) as file:
            assert file.read() == asked.content


def check_commit(world: World, asked: Asked) -> None:
    """What `main` is at is whole and signed; acknowledged, it is this commit."""
    found = revisions.find(world.project, "main").checkpoint
    assert found is not None
    sha256 = queries.files(found).get(name="a.txt").sha256
    with storage.open_blob(sha256) as file:
        content = file.read()
    assert content.startswith(b"commit ")
    assert queries.signature(found) is not None
    assert content == asked.content or not asked.is_acknowledged
    for checkpoint in Checkpoint.objects.filter(state="published"):
        assert Revision.objects.filter(checkpoint=checkpoint).exists()


def check(world: World, forks: Forks, asked: Asked, asking: Asking) -> None:
    """As things are, and once the same was asked again by who was told nothing, or no."""
    if asking is not commit:
        check_upload(asked)
    else:
        check_commit(world, asked)
    if not asked.is_acknowledged:
        forks.count(asked.order)
    assert asked.is_acknowledged, forks.said()
    check_upload(asked) if asking is not commit else check_commit(world, asked)


def some_of(every: list[tuple[str, int]], *, most: int) -> list[tuple[str, int]]:
    """All where tests are thorough, or so many at random (pytest-randomly prints the seed)."""
    chosen = sorted(random.sample(every, most)) if len(every) > most else every
    return points(chosen, few=FEW)


@pytest.mark.parametrize("asking", [native, by_lfs, commit])
def test_who_writes_is_killed_at_each_call(
    world: World, forks: Forks, tmp_path: Path, asking: Asking
) -> None:
    first = asking(world, tmp_path, 0)
    counted = forks.count(first.order)
    assert first.is_acknowledged, forks.said()
    every = [(call, at) for call in CALLS for at in range(1, counted[call] + 1)]
    killed = 0
    chosen = some_of(every, most=MOST_KILLS)
    for number, (call, at) in enumerate(chosen, start=1):
        asked = asking(world, tmp_path, number)
        killed += forks.kill_at(asked.order, call, at)
        check(world, forks, asked, asking)
    # A folder that is there already saves a call: the last of a kind may not be met.
    assert killed >= len(chosen) - len(CALLS), forks.said()


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("asking", [native, by_lfs, commit])
def test_a_disk_that_fails_once_loses_nothing(
    world: World, forks: Forks, tmp_path: Path, asking: Asking, error: str
) -> None:
    first = asking(world, tmp_path, 0)
    counted = forks.count(first.order)
    assert first.is_acknowledged, forks.said()
    every = [(call, at) for call in DISK for at in range(1, counted[call] + 1)]
    for number, (call, at) in enumerate(some_of(every, most=MOST_FAILURES), start=1):
        asked = asking(world, tmp_path, number)
        forks.fail_once(asked.order, call, at, error)
        check(world, forks, asked, asking)

# SPDX-License-Identifier: Apache-2.0
"""Each way to write over HTTP: a request of it that nobody made before, and what has to be true.

A check holds at any moment; what was acknowledged is there, and what is there is whole.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from registry.accounts.models import Token
from registry.catalog import queries
from registry.catalog.models import Checkpoint, Revision
from registry.catalog.queries import revisions
from registry.hub import grants
from registry.hub.models import Xorb
from registry.hub.xet import tokens
from registry.hub.xet.granting import PREFIX
from registry.storage import assembling
from registry.storage import services as storage
from registry.storage.assembling import Assembly
from registry.storage.files import Part, parts_folder
from registry.storage.models import Blob, Holding, WaitingPart
from tests.registry.catalog.world import World
from tests.registry.hub.xet import made
from tests.registry.hub.xet.sending import Sender
from tests.registry.people import secret_of

ACKNOWLEDGED = {"200", "201"}
ALICE = "user:alice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that nobody made before, and what its answer would promise."""

    order: str
    answered: Path
    content: bytes

    @property
    def is_acknowledged(self) -> bool:
        return self.answered.exists() and self.answered.read_text() in ACKNOWLEDGED


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
    token = token_of(world, folder)
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


def token_of(world: World, folder: Path) -> Token:
    alices(world, folder)
    return Token.objects.filter(user=world.people.alice).latest("pk")


def part(world: World, folder: Path, number: int) -> Asked:
    """`PUT /api/lfs/parts/…`, of a file that is one part."""
    content = b"part %d" % number
    address = part_of(world, folder, content, number=1)
    return ask(folder, number, "PUT", address, content=content)


def completed(world: World, folder: Path, number: int) -> Asked:
    """`POST /api/lfs/parts/…`, once the one part is there."""
    content = b"completed %d" % number
    sha256 = hashlib.sha256(content).hexdigest()
    assembly = Assembly(holder=ALICE, sha256=sha256, size_bytes=len(content))
    with Part() as sent, transaction.atomic():
        sent.write(content)
        assembling.put(assembly, 1, sent)
    said = {"oid": sha256, "parts": [{"partNumber": 1, "etag": sha256}]}
    address = part_of(world, folder, content, number=0)
    return ask(folder, number, "POST", address, content=content, body=json.dumps(said).encode())


def part_of(world: World, folder: Path, content: bytes, *, number: int) -> str:
    sha256, token = hashlib.sha256(content).hexdigest(), token_of(world, folder)
    grant = grants.give_part(token, sha256=sha256, size_bytes=len(content), number=number)
    return f"/api/lfs/parts/{grant}"


def xorb(world: World, folder: Path, number: int) -> Asked:
    """`POST /api/xet/v1/xorbs/…`."""
    content = b"xorb %d" % number
    sent = made.xorb(content)
    path = f"{PREFIX}/v1/xorbs/default/{sent.name}"
    bearer = f"Bearer {by_xet(world, folder)}"
    return ask(
        folder, number, "POST", path, content=content, body=sent.packed, Authorization=bearer
    )


def shard(world: World, folder: Path, number: int) -> Asked:
    """`POST /api/xet/v1/shards`, of a file that is the first half of a xorb."""
    content = b"shard %d" % number
    sent, given = made.xorb(content, b"and more"), by_xet(world, folder)
    assert Sender(token=given).xorb(sent).status == 200
    body = made.shard(made.of(content, sent.term(0, 1)))
    path = f"{PREFIX}/v1/shards"
    return ask(
        folder, number, "POST", path, content=content, body=body, Authorization=f"Bearer {given}"
    )


def by_xet(world: World, folder: Path) -> str:
    """A token of Xet's."""
    return tokens.give(token_of(world, folder), world.project, "main", may_write=True)[0]


def check_upload(_: World, asked: Asked) -> None:
    """Acknowledged: it is the sender's. A row: its bytes, all of them."""
    sha256 = hashlib.sha256(asked.content).hexdigest()
    is_there = Blob.objects.filter(pk=sha256).exists()
    is_held = Holding.objects.filter(blob=sha256, holder=ALICE).exists()
    assert is_there == is_held
    assert is_there or not asked.is_acknowledged
    if is_there:
        assert stored(sha256) == asked.content


def check_commit(world: World, asked: Asked) -> None:
    """What `main` is at is whole and signed; acknowledged, it is this commit."""
    found = revisions.find(world.project, "main").checkpoint
    assert found is not None
    sha256 = queries.files(found).get(name="a.txt").sha256
    content = stored(sha256)
    assert content.startswith(b"commit ")
    assert queries.signature(found) is not None
    assert content == asked.content or not asked.is_acknowledged
    for checkpoint in Checkpoint.objects.filter(state="published"):
        assert Revision.objects.filter(checkpoint=checkpoint).exists()


def check_part(_: World, asked: Asked) -> None:
    """Acknowledged: it waits. What waits is whole."""
    sha256 = hashlib.sha256(asked.content).hexdigest()
    found = WaitingPart.objects.filter(holder=ALICE, whole=sha256).first()
    assert found is not None or not asked.is_acknowledged
    if found is not None:
        assert found.sha256 == sha256
        assert (parts_folder() / assembling.FOLDER / found.file).read_bytes() == asked.content


def check_xorb(_: World, asked: Asked) -> None:
    """Acknowledged: it is staged. What is staged is whole."""
    found = Xorb.objects.filter(name=made.xorb(asked.content).name, holder=ALICE).first()
    assert found is not None or not asked.is_acknowledged
    if found is not None:
        assert stored(found.staged) == asked.content


def stored(sha256: str) -> bytes:
    with storage.open_blob(sha256) as file:
        return file.read()


Asking = Callable[[World, Path, int], Asked]
"""Makes a request of its kind, another one for each number."""
CHECKS: Mapping[Asking, Callable[[World, Asked], None]] = {
    native: check_upload,
    by_lfs: check_upload,
    part: check_part,
    completed: check_upload,
    xorb: check_xorb,
    shard: check_upload,
    commit: check_commit,
}

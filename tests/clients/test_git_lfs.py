# SPDX-License-Identifier: Apache-2.0
"""git-lfs, unmodified, sends large files to the registry and fetches those that are published."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from registry.catalog.models import Checkpoint
from registry.storage.models import Blob, Holding
from tests.needing import needs
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World, build, by_person, publish
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

SECONDS = 120
NAME = "model.safetensors"
CONTENT = weights()
SHA256 = hashlib.sha256(CONTENT).hexdigest()

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("git", "git-lfs"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Somebody's working copy; git itself pushes to a folder, git-lfs to the registry."""

    folder: Path

    def git(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Whatever comes of it."""
        return subprocess.run(
            ("git", *words),
            cwd=self.folder,
            env=environment(self.folder.parent),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def does(self, *words: str) -> str:
        """It must work."""
        done = self.git(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


def environment(home: Path) -> dict[str, str]:
    person = {f"GIT_{who}_{what}": "a@example.org" for who in WHO for what in ("NAME", "EMAIL")}
    return {
        **person,
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",  # Debian's package fetches whenever something is checked out
        "GIT_TERMINAL_PROMPT": "0",
        "no_proxy": "*",
    }


WHO = ("AUTHOR", "COMMITTER")


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


def address(live: Live, token: str = "") -> str:
    """Where large files are, as people write it: name and token in front."""
    person = f"anyone:{token}@" if token else ""
    return f"http://{person}{urlsplit(live.url).netloc}/lab/small.git/info/lfs"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """With weights that are committed, and sent nowhere yet."""
    (tmp_path / "work").mkdir()
    found = Checkout(folder=tmp_path / "work")
    found.does("init", "--quiet", "--initial-branch=main")
    found.does("init", "--quiet", "--bare", "--initial-branch=main", "../remote.git")
    found.does("remote", "add", "origin", "../remote.git")
    found.does("lfs", "install", "--local")
    found.does("lfs", "track", "*.safetensors")
    (found.folder / NAME).write_bytes(CONTENT)
    found.does("add", ".")
    found.does("commit", "--quiet", "-m", "Weights")
    return found


def cloned(checkout: Checkout, url: str) -> Checkout:
    """Another copy, with the pointers alone."""
    checkout.does("clone", "--quiet", "../remote.git", "../other")
    other = Checkout(folder=checkout.folder.parent / "other")
    other.does("lfs", "install", "--local", "--skip-smudge")
    other.does("config", "lfs.url", url)
    return other


def commit(live: Live, token: str) -> str:
    """What git-lfs has sent becomes a revision by the Hub's commit; gives its oid."""
    lines = (
        {"key": "header", "value": {"summary": "Weights"}},
        {
            "key": "lfsFile",
            "value": {"path": NAME, "algo": "sha256", "oid": SHA256, "size": len(CONTENT)},
        },
    )
    body = "\n".join(map(json.dumps, lines))
    with live.client(token) as client:
        said = client.post("/api/models/lab/small/commit/main", content=body.encode())
    assert said.status_code == 200, said.text
    return str(said.json()["commitOid"])


def test_weights_are_pushed_published_and_pulled(
    live: Live, world: World, checkout: Checkout
) -> None:
    token = secret_of(world.people.alice, "read", "publish")
    checkout.does("config", "lfs.url", address(live, token))
    checkout.does("push", "--quiet", "origin", "main")
    assert Holding.objects.filter(blob=SHA256, holder="user:alice").exists()
    oid = commit(live, token)
    assert Checkpoint.objects.get().oid == oid
    other = cloned(checkout, address(live))
    assert (other.folder / NAME).read_bytes().startswith(b"version https://git-lfs")
    other.does("lfs", "pull")
    assert (other.folder / NAME).read_bytes() == CONTENT
    other.does("lfs", "fsck")


def test_what_is_there_is_not_sent_again(live: Live, world: World, checkout: Checkout) -> None:
    """Of what is published, by anybody, to whoever may write."""
    publish(by_person(world, files={NAME: CONTENT}))
    checkout.does("config", "lfs.url", address(live, secret_of(world.people.bob, "publish")))
    checkout.does("push", "--quiet", "origin", "main")
    assert not Holding.objects.filter(blob=SHA256, holder="user:bob").exists()


def test_who_may_not_write_is_told_and_nothing_is_kept(
    live: Live, world: World, checkout: Checkout
) -> None:
    checkout.does("config", "lfs.url", address(live, secret_of(world.people.charlie, "publish")))
    refused = checkout.git("push", "origin", "main")
    assert refused.returncode != 0
    assert "read and accept it at" in refused.stderr
    assert not Blob.objects.filter(pk=SHA256).exists()


def test_what_is_not_published_is_not_pulled(live: Live, world: World, checkout: Checkout) -> None:
    """Also by who knows its digest: Alice has sent it, and that is all."""
    token = secret_of(world.people.alice, "publish")
    checkout.does("config", "lfs.url", address(live, token))
    checkout.does("push", "--quiet", "origin", "main")
    other = cloned(checkout, address(live))
    refused = other.git("lfs", "pull")
    assert refused.returncode != 0
    assert "expected an object that was published" in refused.stdout + refused.stderr

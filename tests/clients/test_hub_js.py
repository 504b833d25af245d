# SPDX-License-Identifier: Apache-2.0
"""npm's @huggingface/hub, unmodified, lists, fetches, sends, and reads headers of weights."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from registry.catalog.models import Checkpoint, Project
from registry.catalog.queries import revisions
from registry.storage.files import parts_folder
from tests.clients.hub.test_parts import weights as large_weights
from tests.needing import needs
from tests.registry.catalog.world import FILES, World, build, by_person, publish
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

SECONDS = 120
NODE = shutil.which("node")
SCRIPTS = Path(__file__).with_name("js")
WEIGHTS = FILES["model.safetensors"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("js"),
]


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


def says(live: Live, action: str, repository: str, folder: str = "", token: str = "") -> Any:  # noqa: ANN401 - JSON
    """What the script found, or the error that the client made of it."""
    done = subprocess.run(
        [str(NODE), str(SCRIPTS / "hub.mjs"), action, live.url, repository, folder],
        env={"PATH": os.environ["PATH"], "HF_TOKEN": token, "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_lists_repositories_files_and_history(live: Live, world: World) -> None:
    published = publish(by_person(world, files={**FILES, "a/b.txt": b"b"}))
    said = says(live, "look", "lab/small")
    assert said["models"] == ["lab/small"]
    assert said["sha"] == published.oid
    assert said["commits"] == ["first"]
    sizes = {name: len(content) for name, content in {**FILES, "a/b.txt": b"b"}.items()}
    assert sizes.items() <= said["files"].items()


def test_it_fetches_every_file_and_a_part(live: Live, world: World) -> None:
    publish(by_person(world, files={**FILES, "a/b.txt": b"b"}))
    said = says(live, "fetch", "lab/small")
    found = {name: b64decode(content) for name, content in said["found"].items()}
    assert {**FILES, "a/b.txt": b"b"}.items() <= found.items()
    assert {"model.sig", "model.sigstore.json"} < found.keys()
    assert (said["missing"], said["part"]) == (None, list(WEIGHTS[2:6]))
    assert said["size"] == len(WEIGHTS)
    assert hashlib.sha256(WEIGHTS).hexdigest() in said["etag"]


def test_it_reads_the_header_of_weights_without_the_weights(live: Live, world: World) -> None:
    publish(by_person(world))
    said = says(live, "tensors", "lab/small")
    length = int.from_bytes(WEIGHTS[:8], "little")
    header = json.loads(WEIGHTS[8 : 8 + length])
    assert said["header"] == header
    assert said["count"]


def test_it_publishes_and_each_commit_is_a_revision(
    live: Live, world: World, tmp_path: Path
) -> None:
    files = {**FILES, "long.txt": b"word " * 300_000}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    shutil.rmtree(tmp_path / "texts")
    token = "hf_" + secret_of(world.people.alice, "read", "publish")
    said = says(live, "publish", "lab/fresh", str(tmp_path), token)
    assert said["who"] == "alice"
    first, second = Checkpoint.objects.order_by("pk")
    assert said["oid"] == first.oid
    names = {file.name for file in first.files.all()}
    assert set(files) < names
    of = Project.objects.get(name="fresh")
    assert revisions.find(of, "main").oid == second.oid
    assert not second.files.filter(name="config.json").exists()
    with live.client() as client:
        assert client.get("/lab/fresh/resolve/main/long.txt").content == files["long.txt"]


def test_it_sends_a_large_file_in_parts(live: Live, world: World, tmp_path: Path) -> None:
    waiting = parts_folder() / ".assembled"
    shutil.rmtree(waiting, ignore_errors=True)  # of other tests
    shutil.rmtree(tmp_path / "texts")
    (tmp_path / "config.json").write_bytes(b"{}")
    sha256 = large_weights(tmp_path / "model.safetensors")
    token = "hf_" + secret_of(world.people.alice, "read", "publish")
    said = says(live, "publish", "lab/fresh", str(tmp_path), token)
    first = Checkpoint.objects.order_by("pk")[0]
    assert said["oid"] == first.oid
    assert first.files.get(name="model.safetensors").sha256 == sha256
    assert list(waiting.iterdir()) == []  # what was in it was joined


def test_a_refusal_is_told_in_our_words(live: Live, world: World, tmp_path: Path) -> None:
    token = "hf_" + secret_of(world.people.charlie, "publish")
    (tmp_path / "config.json").write_bytes(b"{}")
    shutil.rmtree(tmp_path / "texts")
    said = says(live, "publish", "lab/fresh", str(tmp_path), token)
    assert said["status"] == 403
    assert "acts for 'lab'" in said["error"]
    assert not Project.objects.filter(name="fresh").exists()

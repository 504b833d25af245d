# SPDX-License-Identifier: Apache-2.0
"""A power cut under a whole registry: what it acknowledged is there afterwards, and whole.

All of its data, its database's too, lie on an ext4 of their own. The cut is ext4's shutdown without
a flush of its journal: nothing is written from then on, and what no fsync has asked for is lost,
as it is with the memory of a machine. Then the file system is mounted again, and the registry
started, as after any crash.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.crash.supervised import ROOT, descendants, gone, start
from tests.needing import forbidden, require
from tests.running import free_port
from tests.thorough import thorough
from tests.until import until

pytestmark = thorough

IMAGE_BYTES = 3 * 1024**3  # sparse; the registry itself takes a tenth of it
WRITERS = 3
MOST_SECONDS = 240.0
FEWEST_BLOBS, FEWEST_CHECKPOINTS = 100, 1
# linux/ext4.h: EXT4_IOC_SHUTDOWN, and EXT4_GOING_FLAGS_NOLOGFLUSH.
SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, 2
REPLACED = ("DATABASE_URL", "BROKER_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system in a file."""

    image: Path
    at: Path

    def make(self) -> None:
        self.at.mkdir()
        with self.image.open("wb") as image:
            image.truncate(IMAGE_BYTES)
        _run("mkfs.ext4", "-q", "-F", str(self.image))

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self.image), str(self.at))

    def cut(self) -> None:
        """The power is gone."""
        folder = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        finally:
            os.close(folder)

    def unmount(self) -> None:
        """Once the last of the killed processes has let go of it."""
        until(lambda: subprocess.run(("umount", str(self.at)), check=False).returncode == 0)


@dataclass(slots=True, kw_only=True)
class Writers:
    """People who upload for as long as they are answered, and remember what was acknowledged."""

    url: str
    secret: str
    acknowledged: dict[str, bytes] = field(default_factory=dict[str, bytes])
    is_over: threading.Event = field(default_factory=threading.Event)

    def write(self, who: int) -> None:
        headers = {"Authorization": f"Bearer {self.secret}"}
        with httpx.Client(
            base_url=self.url, headers=headers, trust_env=False, timeout=30
        ) as client:
            for number in range(100_000):
                content = f"{who} {number} ".encode() * 1000
                sha256 = hashlib.sha256(content).hexdigest()
                try:
                    answer = client.put(f"/api/v1/blobs/sha256:{sha256}", content=content)
                except httpx.HTTPError:
                    return
                if answer.status_code == 201:
                    self.acknowledged[sha256] = content
                if self.is_over.is_set():
                    return


@pytest.fixture
def disk() -> Iterator[Disk]:
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    found = Disk(image=folder / "image", at=folder / "disk")
    try:
        _require(found)
        yield found
    finally:
        if os.path.ismount(found.at):
            _run("umount", "--lazy", str(found.at))  # where the test failed, programs may be on it
        shutil.rmtree(folder)


def _require(disk: Disk) -> None:
    """Skips where there is no loop device, or nobody may mount one."""
    require("mkfs.ext4", "mount")
    if os.geteuid() != 0:
        forbidden("only root may mount a file system that can be cut off")
    try:
        disk.make()
        disk.mount()
        disk.cut()
        disk.unmount()
    except (OSError, subprocess.CalledProcessError) as error:
        forbidden(f"no ext4 in a loop device that can be shut down here: {error}")


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


def environment(disk: Disk) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ASSAY_") and name not in REPLACED
    }
    own = {"ASSAY_DATA_DIR": str(disk.at / "data"), "ASSAY_PORT": str(free_port())}
    return {**kept, **own, "ASSAY_DISK_RESERVE": "16M"}


def secret(env: Mapping[str, str]) -> str:
    def told(*words: str) -> str:
        ended = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words],
            cwd=ROOT,
            env=dict(env),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return ended.stdout

    told("user", "create", "writer", "--no-password")
    said = told("token", "issue", "writer", "--scope", "publish", "--scope", "read")
    return next(word for word in said.split() if word.startswith("assay_"))


def checkpoints(url: str) -> dict[str, Any]:
    """All that is published, by id."""
    found: dict[str, Any] = {}
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for project in client.get("/api/v1/projects").json()["results"]:
            path = f"/api/v1/projects/{project['project']}/checkpoints"
            for each in client.get(path).json()["results"]:
                found[each["id"]] = client.get(f"{path}/{each['name']}").json()
    return found


def lost(url: str, writers: Writers, published: Mapping[str, Any]) -> list[str]:
    """What was acknowledged, and is not there, or not whole."""
    missing: list[str] = []
    now = checkpoints(url)
    headers = {"Authorization": f"Bearer {writers.secret}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
        digests = {sha256: len(content) for sha256, content in writers.acknowledged.items()}
        for checkpoint_id, said in published.items():
            if checkpoint_id not in now:
                missing.append(checkpoint_id)
            digests |= {file["sha256"]: file["size"] for file in said["files"]}
        for sha256 in digests:
            answer = client.get(f"/api/v1/blobs/sha256:{sha256}")
            if hashlib.sha256(answer.content).hexdigest() != sha256:
                missing.append(f"{sha256}: {answer.status_code}")
    return missing


def test_what_was_acknowledged_before_a_power_cut_is_there_after_it(
    disk: Disk, met: Counter[str]
) -> None:
    disk.mount()
    env = environment(disk)
    url = f"http://127.0.0.1:{env['ASSAY_PORT']}"
    first = start(env)
    try:
        writers = Writers(url=url, secret=secret(env))
        threads = [threading.Thread(target=writers.write, args=(who,)) for who in range(WRITERS)]
        for thread in threads:
            thread.start()
        published = await_enough(url, writers)
        disk.cut()
    finally:
        everything = descendants(first.pid)
        first.kill()
        first.communicate()
    writers.is_over.set()
    for thread in threads:
        thread.join()
    assert gone(everything) == {}
    disk.unmount()

    disk.mount()
    second = start(env)
    try:
        assert lost(url, writers, published) == []
    finally:
        second.terminate()
        second.communicate()
    met["blobs before a power cut"] += len(writers.acknowledged)
    met["checkpoints before a power cut"] += len(published)


def await_enough(url: str, writers: Writers) -> dict[str, Any]:
    """Until so much is acknowledged that a loss would show."""
    give_up_at = time.monotonic() + MOST_SECONDS
    found: dict[str, Any] = {}

    def is_enough() -> bool:
        found.update(checkpoints(url))
        is_late = time.monotonic() > give_up_at
        enough = len(writers.acknowledged) >= FEWEST_BLOBS and len(found) >= FEWEST_CHECKPOINTS
        return enough or is_late

    while not is_enough():
        time.sleep(0.2)  # another process: nothing wakes us
    assert len(writers.acknowledged) >= FEWEST_BLOBS
    assert len(found) >= FEWEST_CHECKPOINTS
    return found

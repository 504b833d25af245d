# SPDX-License-Identifier: Apache-2.0
"""Fixtures of storage: a data folder of the test's own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from registry.storage import places
from registry.storage.places import Place
from tests.needing import forbidden, require
from tests.registry.storage.world import World

DISK = "8m"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Settings) -> Path:
    """Where this test's blobs are."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, data_folder: Path) -> Place:
    """A test that asks for it is run with blobs in a folder, and with blobs in a bucket."""
    if request.param == "bucket":
        request.getfixturevalue("bucket")
    return places.primary()


@pytest.fixture
def world() -> World:
    """Nothing stored, nothing shown."""
    return World()


@pytest.fixture
def small_disk(data_folder: Path) -> Iterator[Path]:
    """The data folder on a file system of 8 MiB, or a skip that says why there is none."""
    require("mount")
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(data_folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        forbidden(f"no file system of its own: {made.stderr}")
    yield data_folder
    subprocess.run(["umount", "--lazy", str(data_folder)], check=True)


def everything_in(folder: Path) -> list[str]:
    """The names of all files, hidden ones too."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())

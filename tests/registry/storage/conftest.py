# SPDX-License-Identifier: Apache-2.0
"""Fixtures of storage: a data folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.registry.storage.world import World


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Settings) -> Path:
    """Where this test's blobs are."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def world() -> World:
    """Nothing stored, nothing shown."""
    return World()


def everything_in(folder: Path) -> list[str]:
    """The names of all files, hidden ones too."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())

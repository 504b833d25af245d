# SPDX-License-Identifier: Apache-2.0
"""Folders are private, and sockets lie where their paths are short enough."""

import os
from pathlib import Path

import pytest

from registry.supervisor.errors import UnsafeFolder
from registry.supervisor.places import SOCKET_PATH_BYTES, Places, private_folder


def test_every_folder_is_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Places.of(data).tidy()
    folders = [data, *(path for path in data.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    private_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UnsafeFolder, match="must be a folder of user"):
        private_folder(tmp_path / "link")


def test_sockets_of_a_long_path_lie_elsewhere(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 30)
    places = Places.of(data)
    assert not places.sockets.is_relative_to(data)
    assert len(os.fsencode(places.sockets / "postgres" / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES
    assert Places.of(data).sockets == places.sockets
    places.tidy()
    assert not places.sockets.exists()
    assert data.exists()

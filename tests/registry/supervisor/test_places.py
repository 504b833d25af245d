# SPDX-License-Identifier: Apache-2.0
"""Folders are private, and sockets lie where their paths are short enough."""

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.supervisor.environment import fill_in
from registry.supervisor.errors import UnsafeFolder
from registry.supervisor.places import (
    LEFT_SECONDS,
    SOCKET_PATH_BYTES,
    Places,
    private_folder,
    sweep,
)
from registry.supervisor.registry import locked
from tests.running import free_port


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


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, with a path that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="assay-t-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def left(temporary: Path, digit: str, *, seconds: float = LEFT_SECONDS + 1) -> Path:
    """A folder in which a program that was killed has listened; so long ago."""
    folder = temporary / f"assay-{os.geteuid()}-{digit * 12}"
    (folder / "signer").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "signer" / "socket"))
    at = time.time() - seconds
    os.utime(folder, (at, at))
    return folder


def test_a_folder_of_sockets_that_a_killed_registry_left_is_swept(temporary: Path) -> None:
    killed, young = left(temporary, "a"), left(temporary, "b", seconds=60)
    other = temporary / "assay-of-somebody"
    other.mkdir()
    os.utime(other, (0, 0))
    sweep(now=time.time())
    assert not killed.exists()
    assert young.exists()
    assert other.exists()


def test_a_start_over_other_data_sweeps(temporary: Path) -> None:
    killed = left(temporary, "a")
    words = {"ASSAY_DATA_DIR": str(temporary / "data"), "ASSAY_PORT": str(free_port())}
    with locked(fill_in(words)):
        assert not killed.exists()


def test_a_start_over_the_same_data_keeps_what_a_killed_one_left(temporary: Path) -> None:
    data = temporary / ("long" * 30)
    sockets = Places.of(data).sockets
    (sockets / "signer").mkdir()
    os.utime(sockets, (0, 0))
    words = {"ASSAY_DATA_DIR": str(data), "ASSAY_PORT": str(free_port())}
    with locked(fill_in(words)):
        assert (sockets / "signer").is_dir()


def test_a_folder_that_another_start_swept_is_no_fault(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = left(temporary, "a")
    shutil.rmtree(gone)
    monkeypatch.setattr(Path, "glob", lambda _folder, _name: iter([gone]))
    sweep(now=time.time())


def test_a_folder_in_which_somebody_listens_is_never_swept(temporary: Path) -> None:
    folder = left(temporary, "a")
    path = folder / "signer" / "socket"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind(str(path))
        alive.listen()
        sweep(now=time.time() + LEFT_SECONDS * 2)
        assert path.exists()
    sweep(now=time.time() + LEFT_SECONDS * 2)
    assert not folder.exists()


def test_a_link_in_place_of_such_a_folder_is_left_alone(temporary: Path) -> None:
    target = temporary / "precious"
    target.mkdir()
    (temporary / f"assay-{os.geteuid()}-{'c' * 12}").symlink_to(target)
    sweep(now=time.time() + LEFT_SECONDS * 2)
    assert target.exists()

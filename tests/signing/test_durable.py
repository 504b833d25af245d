# SPDX-License-Identifier: Apache-2.0
"""Files appear whole or not at all, and are on the disk before anybody relies on their names."""

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.signing import durable
from assay.signing.keys import SoftwareKey


@pytest.fixture
def synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What was synced, in order, and whether the file had its name then."""
    calls: list[tuple[str, bool]] = []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        fsync(descriptor)
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        calls.append((name, (tmp_path / "file").exists()))

    monkeypatch.setattr(os, "fsync", recorded)
    return calls


def write(path: Path) -> None:
    durable.write_file(path, b"new")


def create(path: Path) -> None:
    durable.create_file(path, b"new")


def store(path: Path) -> None:
    SoftwareKey.generate().store(path, None)


@pytest.mark.parametrize("act", [write, create, store])
def test_a_file_is_synced_then_named_then_its_name_is_synced(
    act: Callable[[Path], None], tmp_path: Path, synced: list[tuple[str, bool]]
) -> None:
    act(tmp_path / "file")
    (part, was_named), folder = synced
    assert (part.startswith(".file."), was_named) == (True, False)
    assert folder == (tmp_path.name, True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("act", [write, create, store])
def test_a_disk_that_fails_leaves_nothing(
    act: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        act(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with durable.replacing(path) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("act", [create, store])
def test_what_must_be_new_replaces_neither_a_file_nor_a_link(
    act: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            act(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "link"}
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_tree_is_synced_with_every_name_in_it(
    tmp_path: Path, synced: list[tuple[str, bool]]
) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("a", "inner/b"):
        (tmp_path / name).write_bytes(b"")
    durable.sync_tree(tmp_path)
    assert {name for name, _ in synced} == {"a", "b", "inner", tmp_path.name}


@pytest.mark.parametrize("make", [write, create, store])
def test_an_error_names_the_file_that_was_asked_for(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "nowhere" / "file"
    with pytest.raises(FileNotFoundError) as caught:
        make(path)
    assert (caught.value.filename, caught.value.filename2) == (str(path), None)


def test_nor_does_one_that_is_in_the_way_hide_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(FileExistsError) as caught:
        create(tmp_path / "file")
    assert (caught.value.filename, caught.value.filename2) == (str(tmp_path / "file"), None)


def test_the_same_bytes_get_another_name_or_where_there_is_none_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, path = tmp_path / "source", tmp_path / "path"
    source.write_bytes(b"bytes")
    path.write_bytes(b"old")
    for _ in range(2):  # the second time they are one already
        durable.link_or_copy(source, path, aside=tmp_path)
        assert path.samefile(source)

    def refuse(*_: object) -> None:
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr(os, "link", refuse)
    durable.link_or_copy(source, path, aside=tmp_path)
    assert (path.read_bytes(), path.samefile(source)) == (b"bytes", False)
    assert {each.name for each in tmp_path.iterdir()} == {"source", "path"}


def test_what_somebody_put_where_it_would_be_made_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, path, others = tmp_path / "source", tmp_path / "path", tmp_path / "others"
    source.write_bytes(b"bytes")
    source.chmod(0o640)
    others.write_bytes(b"theirs")
    (tmp_path / ".path.part").symlink_to(others)

    def refuse(*_: object) -> None:
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr(os, "link", refuse)
    durable.link_or_copy(source, path, aside=tmp_path)
    assert (others.read_bytes(), path.read_bytes()) == (b"theirs", b"bytes")
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / ".path.part").is_symlink()


def test_many_who_link_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    sources = [tmp_path / str(number) for number in range(8)]
    for source in sources:
        source.write_bytes(source.name.encode())

    def link(source: Path) -> None:
        durable.link_or_copy(source, tmp_path / "path", aside=tmp_path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(link, sources))
    assert (tmp_path / "path").read_bytes().decode() in {source.name for source in sources}
    assert len(list(tmp_path.iterdir())) == len(sources) + 1


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".x1.part").mkdir()
    (tmp_path / ".x1.part" / "part").write_bytes(b"half")
    (tmp_path / ".file.x2.part").write_bytes(b"half")
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "file").write_bytes(b"theirs")
    (tmp_path / ".x3.part").symlink_to(tmp_path / "others")
    (tmp_path / "file.part").write_bytes(b"theirs")
    durable.remove_parts(tmp_path)
    found = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*")}
    assert found == {"others", "others/file", "file.part"}

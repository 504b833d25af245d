# SPDX-License-Identifier: Apache-2.0
"""The second copy: written before the answer; where it cannot be, said, and written later."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from registry.storage import services, tasks
from registry.storage.files import Part, path_of
from registry.storage.folder import Folder
from registry.storage.models import Blob

CONTENT = b"two of these" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def second(tmp_path: Path, settings: Settings) -> Folder:
    """A second copy in a folder of its own."""
    folder = tmp_path / "second"
    folder.mkdir()
    settings.SECOND_COPY = str(folder)
    return Folder(root=folder)


def is_copied() -> bool:
    return Blob.objects.get(pk=SHA256).is_copied


def test_a_blob_is_in_both_places_once_it_is_stored(db: None, second: Folder) -> None:
    services.store(CONTENT, holder="user:alice")
    assert path_of(SHA256).read_bytes() == second.path(SHA256).read_bytes() == CONTENT
    assert is_copied()
    assert list(second.parts.iterdir()) == []


def test_without_a_second_place_nothing_is_said_to_be_there(db: None) -> None:
    services.store(CONTENT, holder="user:alice")
    assert not is_copied()
    tasks.catch_up()


def test_while_it_is_gone_uploads_go_on_and_it_catches_up(
    db: None, second: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    second.root.rmdir()
    with caplog.at_level(logging.WARNING):
        services.store(CONTENT, holder="user:alice")
        tasks.catch_up()
    assert f"the second copy of sha256:{SHA256} is not written" in caplog.messages[0]
    assert "second copies are missing" in caplog.messages[1]
    assert path_of(SHA256).exists()
    assert not is_copied()
    assert not second.root.exists()  # it is a disk that is not mounted: nothing goes below it
    second.root.mkdir()
    tasks.catch_up()
    assert is_copied()
    assert second.path(SHA256).read_bytes() == CONTENT


def test_while_it_is_full_uploads_go_on(
    db: None, small_disk: Path, tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> None:
    settings.DATA_DIR = tmp_path_factory.mktemp("first")
    settings.SECOND_COPY = str(small_disk)
    large = os.urandom(9 << 20)
    digest = services.store(large, holder="user:alice").sha256
    assert path_of(digest).stat().st_size == 9 << 20
    assert not Blob.objects.get(pk=digest).is_copied
    assert list(Folder(root=small_disk).parts.iterdir()) == []
    services.store(CONTENT, holder="user:alice")
    assert is_copied()


def test_what_rotted_here_is_not_copied(db: None, second: Folder) -> None:
    services.store(CONTENT, holder="user:alice")
    Blob.objects.update(is_copied=False)
    second.remove(SHA256)
    path_of(SHA256).write_bytes(b"rotten")
    tasks.catch_up()
    assert not is_copied()
    assert not second.path(SHA256).exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_removed_is_removed_from_both(second: Folder) -> None:
    services.store(CONTENT, holder=services.OURSELVES)
    with transaction.atomic():
        services.drop([SHA256], needed=lambda _: frozenset())
    assert (path_of(SHA256).exists(), second.path(SHA256).exists()) == (False, False)


def test_what_was_removed_while_it_was_gone_is_swept(
    db: None, second: Folder, tmp_path: Path
) -> None:
    with Part(second) as part:
        part.write(CONTENT)
        part.keep()
    services.store(b"something else", holder="user:alice")
    long_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(second.path(SHA256), (long_ago, long_ago))
    shutil.move(second.root, tmp_path / "away")
    assert services.sweep_orphans(now=datetime.now(UTC)) == 0
    shutil.move(tmp_path / "away", second.root)
    assert services.sweep_orphans(now=datetime.now(UTC)) == 1
    assert not second.path(SHA256).exists()

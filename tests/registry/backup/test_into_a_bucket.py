# SPDX-License-Identifier: Apache-2.0
"""The drill across places: from a folder into a bucket, and from there into a folder again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from registry.backup import saving
from registry.backup.errors import NotEmpty
from registry.catalog.models import Checkpoint, File
from registry.storage import places as storage
from registry.storage import queries, scrubbing, services
from registry.storage.bucket import Bucket
from tests.registry.backup import places
from tests.registry.backup.places import Place
from tests.thorough import thorough

pytestmark = [pytest.mark.django_db(transaction=True), thorough]
AT = datetime(2026, 11, 20, 18, 3, 22, tzinfo=UTC)


@pytest.fixture
def account(bucket: str) -> Iterator[str]:
    """A bucket for the registry that is restored; the one under test stays in its folder."""
    file = str(settings.BUCKET)
    with override_settings(BUCKET=""):
        yield file


@contextmanager
def inside(place: Place, account: str) -> Iterator[None]:
    """The restored registry is this process's, with its blobs in that bucket, or in its folder."""
    with place.entered(), override_settings(BUCKET=account):
        yield


def clean() -> None:
    """Every blob that a row names is read whole, and is what its digest says."""
    call_command("storage", "scrub", stdout=io.StringIO())
    assert scrubbing.damaged() == []
    digests = {sha256 for sha256, _ in queries.everything()}
    assert set(File.objects.values_list("sha256", flat=True)) <= digests
    for digest in digests:
        with services.open_blob(digest) as content:
            assert hashlib.sha256(content.read()).hexdigest() == digest


def test_from_a_folder_into_a_bucket_and_back_nothing_is_lost(
    checkpoint: Checkpoint, place: Place, account: str, tmp_path: Path
) -> None:
    wanted = sorted(queries.everything())
    saving.save(tmp_path / "first", at=AT)
    with override_settings(BUCKET=account):
        there = place.restore(tmp_path / "first")
    assert there.blobs == len(wanted)
    assert not [each for each in (place.data / "blobs").rglob("*") if each.is_file()]
    with inside(place, account):
        clean()
        assert isinstance(storage.primary(), Bucket)
        assert sorted(queries.everything()) == wanted
        saving.save(tmp_path / "second", at=AT)
    with places.empty(tmp_path / "third") as third:
        third.restore(tmp_path / "second")
        with inside(third, ""):
            clean()
            assert sorted(queries.everything()) == wanted
            for digest, size in wanted:
                path = storage.blobs_folder() / digest[:2] / digest
                assert path.stat().st_size == size


def test_a_bucket_with_something_in_it_is_not_filled(
    checkpoint: Checkpoint, place: Place, account: str, tmp_path: Path
) -> None:
    saving.save(tmp_path / "backups", at=AT)
    with override_settings(BUCKET=account):
        services.store(b"somebody's", holder="user:alice")
        with pytest.raises(NotEmpty, match="the bucket that ASSAY_BUCKET names has blobs"):
            place.restore(tmp_path / "backups")


def test_the_commands_go_by_the_setting(
    checkpoint: Checkpoint, place: Place, account: str, tmp_path: Path
) -> None:
    wanted = len(list(queries.everything()))
    saving.save(tmp_path / "backups", at=AT)
    with override_settings(BUCKET=account):
        done = place.manage("restore", tmp_path / "backups", bucket=account)
    assert done.returncode == 0, done.stderr
    scrubbed = place.manage("storage", "scrub", "--json", bucket=account)
    assert scrubbed.returncode == 0, scrubbed.stderr
    assert f'"blobs": {wanted}' in scrubbed.stdout, scrubbed.stdout
    lost = place.manage("storage", "scrub")
    assert lost.returncode != 0, "without the setting there is not one blob to be found"

# SPDX-License-Identifier: Apache-2.0
"""A bucket that is away, slow to come back, or described wrongly; and memory that stays small."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from assay.signing.errors import InvalidDocument
from registry.checks import has_a_usable_bucket
from registry.storage import bucket as module
from registry.storage import places, scrubbing, services, tasks
from registry.storage.bucket import Account, Bucket, Unreachable
from registry.storage.errors import StorageUnavailable
from registry.storage.folder import Folder
from registry.storage.models import Blob
from tests.registry.callers import call, in_database
from tests.registry.storage import transferring
from tests.registry.storage.world import CONTENT, SHA256, World, streams

ALICE = {"Authorization": "Bearer alice"}
URL = f"/api/v1/blobs/sha256:{SHA256}"
ACCOUNT = {
    "endpoint": "http://127.0.0.1:9",
    "bucket": "blobs",
    "region": "us-east-1",
    "prefix": "assay",
    "access_key_id": "key",
    "secret_access_key": "not to be seen",
}
MOST_BYTES = 64 << 20


@pytest.fixture
def away(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bucket on a port that nobody listens on, and a registry that gives up at once."""
    monkeypatch.setattr(module, "RETRY_FOR", timedelta(seconds=1))
    monkeypatch.setattr(module, "RETRIES", 1)
    file = tmp_path / "away.json"
    file.write_text(json.dumps(ACCOUNT))
    file.chmod(0o600)
    settings.BUCKET = str(file)
    return file


@pytest.fixture
def misnamed(s3_server: str, tmp_path: Path, settings: Settings) -> None:
    """A server that answers, and a bucket that it does not have."""
    file = tmp_path / "misnamed.json"
    file.write_text(json.dumps({**ACCOUNT, "endpoint": s3_server, "bucket": "never-made"}))
    settings.BUCKET = str(file)


@pytest.mark.django_db(transaction=True)
async def test_while_it_is_away_callers_are_told_to_try_later(
    world: World, away: Path, data_folder: Path
) -> None:
    headers = {**ALICE, "Content-Length": str(len(CONTENT))}
    answer = await call(streams(world), "PUT", URL, headers=headers, pieces=[CONTENT])
    assert (answer.status, answer.problem["code"]) == (503, "storage-unavailable")
    assert "not to be seen" not in answer.problem["detail"]
    assert not await in_database(Blob.objects.exists)
    assert list((data_folder / "blobs" / "parts").iterdir()) == []
    world.public.add(SHA256)
    await in_database(lambda: Blob.objects.create(sha256=SHA256, size_bytes=1))
    answer = await call(streams(world), "GET", URL, headers=ALICE)
    assert (answer.status, answer.problem["code"]) == (503, "storage-unavailable")


@pytest.mark.django_db(transaction=True)
async def test_a_bucket_that_does_not_exist_is_said_to_be_away(
    world: World, misnamed: None
) -> None:
    headers = {**ALICE, "Content-Length": str(len(CONTENT))}
    answer = await call(streams(world), "PUT", URL, headers=headers, pieces=[CONTENT])
    assert (answer.status, answer.problem["code"]) == (503, "storage-unavailable")
    assert answer.problem["detail"] == "the bucket is not there; try again later"
    await in_database(lambda: Blob.objects.create(sha256=SHA256, size_bytes=1))
    with pytest.raises(Unreachable, match="the bucket does not answer as expected"):
        await in_database(scrubbing.scrub)
    assert await in_database(scrubbing.damaged) == []
    with pytest.raises(Unreachable):
        places.primary().check()


def test_while_it_is_away_nothing_is_taken_for_damaged(
    db: None, away: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Blob.objects.create(sha256=SHA256, size_bytes=1)
    with pytest.raises(CommandError, match="say this again when it does, to go on"):
        call_command("storage", "scrub", stdout=io.StringIO())
    tasks.scrub()
    assert "the blobs are not read again now" in caplog.text
    assert scrubbing.damaged() == []
    with pytest.raises(Unreachable, match="does not answer as expected"):
        places.primary().stamp(SHA256)
    with pytest.raises(StorageUnavailable), services.local(SHA256):
        pytest.fail("a blob was lent that cannot be reached")


def test_what_the_operator_wrote_is_read(away: Path) -> None:
    assert Account.read(str(away)).endpoint == ACCOUNT["endpoint"]
    assert "not to be seen" not in repr(Account.read(str(away)))
    assert isinstance(places.primary(), Bucket)
    assert has_a_usable_bucket() == []


@pytest.mark.parametrize("name", [*ACCOUNT, "more"])
def test_what_is_missing_or_unknown_in_it_is_named(away: Path, name: str) -> None:
    content = {**ACCOUNT, "more": "?"} if name == "more" else {**ACCOUNT, name: 7}
    away.write_text(json.dumps(content))
    with pytest.raises(InvalidDocument, match=name):
        Account.read(str(away))
    (error,) = has_a_usable_bucket()
    assert (error.id, error.msg) == ("assay.E007", "The bucket of the blobs is not known.")


def test_a_deployment_is_told_of_a_key_that_others_may_read(away: Path, settings: Settings) -> None:
    away.chmod(0o644)
    assert [each.hint for each in has_a_usable_bucket()] == [f"chmod 600 {away}"]
    away.unlink()
    assert [each.id for each in has_a_usable_bucket()] == ["assay.E007"]
    settings.BUCKET = ""
    assert has_a_usable_bucket() == []
    assert isinstance(places.primary(), Folder)


def test_a_large_blob_goes_through_in_little_memory(
    bucket: str, tmp_path: Path, settings: Settings
) -> None:
    size_bytes = 160 << 20
    ended = subprocess.run(
        (
            sys.executable,
            "-m",
            transferring.__name__,
            settings.BUCKET,
            str(tmp_path),
            str(size_bytes),
        ),
        cwd=Path(__file__).parents[3],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "registry.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = re.fullmatch(r"(\w+) (\d+)\n", ended.stdout)
    assert said is not None, ended.stderr
    assert said[1] == hashlib.sha256(bytes(size_bytes)).hexdigest()
    assert int(said[2]) < MOST_BYTES

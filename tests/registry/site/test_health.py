# SPDX-License-Identifier: Apache-2.0
"""Liveness looks at nothing; readiness names the part that does not answer."""

from __future__ import annotations

from pathlib import Path

import httpx
from django.test import Client
from pytest_django import Settings

from registry.env import Portion
from registry.wakeups import app
from tests.running import Authority


def test_a_process_that_answers_lives(stranger: Client) -> None:
    assert stranger.get("/healthz").content == b"ok\n"


def test_a_registry_with_all_its_parts_is_ready(
    db: None, authority: Authority, stranger: Client
) -> None:
    answer = stranger.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json().values()) == {"ok"}


def test_without_its_signer_it_is_not(db: None, authority: Authority, stranger: Client) -> None:
    authority.stop()
    try:
        answer = stranger.get("/readyz")
    finally:
        authority.start()
    assert answer.status_code == 503
    assert answer.json() == {
        "database": "ok",
        "broker": "ok",
        "signer": "does not answer",
        "storage": "ok",
    }


def test_without_a_place_for_blobs_it_is_not(
    db: None, authority: Authority, settings: Settings, tmp_path: Path, stranger: Client
) -> None:
    settings.DATA_DIR = tmp_path / "gone"
    assert stranger.get("/readyz").json()["storage"] == "cannot be written"


def test_without_its_broker_it_is_not(
    db: None, authority: Authority, settings: Settings, tmp_path: Path, stranger: Client
) -> None:
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path}/nobody"
    app.cache_clear()
    try:
        assert stranger.get("/readyz").json()["broker"] == "does not answer"
    finally:
        app.cache_clear()


def test_with_a_disk_too_full_for_uploads_it_says_so_and_serves(
    db: None, authority: Authority, settings: Settings, stranger: Client
) -> None:
    settings.DISK_RESERVE = Portion(percent=100)
    answer = stranger.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["storage"] == "reads only: the disk is nearly full"


def test_without_its_bucket_it_is_not(
    db: None, authority: Authority, bucket: str, settings: Settings, stranger: Client
) -> None:
    assert stranger.get("/readyz").json()["storage"] == "ok"
    httpx.delete(bucket, trust_env=False).raise_for_status()
    answer = stranger.get("/readyz")
    assert (answer.status_code, answer.json()["storage"]) == (503, "does not answer")

# SPDX-License-Identifier: Apache-2.0
"""Fixtures of every registry test."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from pytest_django import Settings

from tests.needing import require
from tests.registry.people import People, invite
from tests.running import free_port
from tests.until import until

S3_SERVER = Path(__file__).parents[2] / ".venv-servers" / "bin" / "moto_server"


@pytest.fixture(scope="session", autouse=True)
def _no_static_files() -> None:
    """Each client would list them anew, for 40 ms; live servers serve them."""
    settings.SERVESTATIC_USE_FINDERS = False


@pytest.fixture
def people(db: None) -> People:
    """Alice owns, Bob is a member, Charlie is a stranger."""
    return invite()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """An S3 server that we did not write, in a process of its own, on loopback."""
    require("servers")
    url = f"http://127.0.0.1:{free_port()}"
    command = [str(S3_SERVER), "-H", "127.0.0.1", "-p", url.rpartition(":")[2]]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: _answers(url))
            yield url
        finally:
            server.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def bucket(s3_server: str, tmp_path: Path, settings: Settings) -> str:
    """An empty bucket, in which this test's blobs are; its address."""
    name = f"blobs-{secrets.token_hex(8)}"
    httpx.put(f"{s3_server}/{name}", trust_env=False).raise_for_status()
    file = tmp_path / "s3.json"
    account = {"endpoint": s3_server, "bucket": name, "region": "us-east-1", "prefix": "assay"}
    key = {"access_key_id": "key", "secret_access_key": "secret"}
    file.write_text(json.dumps({**account, **key}))
    file.chmod(0o600)
    settings.BUCKET = str(file)
    return f"{s3_server}/{name}"

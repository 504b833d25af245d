# SPDX-License-Identifier: Apache-2.0
"""A person publishes over HTTP: real web server, worker and signer; a stranger downloads it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.signing.digests import as_id
from assay.signing.evidence import Evidence
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.verify import verify_checkpoint
from tests.registry.catalog.world import FILES, build
from tests.registry.people import invite, secret_of
from tests.registry.verifying import demands
from tests.running import Authority, Live

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60


def test_uploaded_published_downloaded_and_verified(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    world = build(invite(), tmp_path / "texts")
    token = secret_of(world.people.alice, "publish")
    entries = []
    with live.client(token) as alice:
        for name, content in FILES.items():
            digest = hashlib.sha256(content).hexdigest()
            put = alice.put(f"/api/v1/blobs/sha256:{digest}", content=content)
            assert put.status_code == 201, put.text
            entries.append(FileEntry(name=name, sha256=digest, size=len(content)))
        manifest = Manifest.of(entries)
        body = {"name": "first", "manifest": manifest.to_json()}
        posted = alice.post("/api/v1/projects/lab/small/checkpoints", json=body)
        assert posted.status_code == 202, posted.text
        path = posted.json()["url"].removeprefix("http://localhost:8000")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while alice.get(path).json()["state"] != "published":
            assert time.monotonic() < deadline
            time.sleep(0.1)  # another process: nothing wakes us
    with live.client() as anyone:
        found = anyone.get(path).json()
        for file in [*found["files"], found["signature"]]:
            url = file["url"].removeprefix("http://localhost:8000")
            got = anyone.get(url)
            assert hashlib.sha256(got.content).hexdigest() == file["sha256"]
            assert got.headers["content-disposition"].startswith("attachment")
            part = anyone.get(url, headers={"Range": "bytes=1-3"})
            assert (part.status_code, part.content) == (206, got.content[1:4])
        evidence = Evidence.parse(json.loads(anyone.get(path.replace("?", "/evidence?")).content))
        assert anyone.get("/lab/small/first").status_code == 200
    verify_checkpoint(evidence, trust=authority.trust_root, requirements=demands(), files=manifest)
    fingerprint = as_id(authority.trust_root.fingerprint)
    assay(tmp_path, "trust", "add", live.url, "--fingerprint", fingerprint)
    assay(tmp_path, "download", "lab/small", "--registry", live.url)
    assert Manifest.of_folder(tmp_path / "small-first") == manifest
    assay(tmp_path, "verify", "small-first")


def assay(folder: Path, *words: str) -> None:
    """The command as a stranger runs it, in a folder of theirs."""
    environment = {**os.environ, "ASSAY_CONFIG": str(folder / "config")}
    command = [sys.executable, "-m", "assay.signing.commands", *words]
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr

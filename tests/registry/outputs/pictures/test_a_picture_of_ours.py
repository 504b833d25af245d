# SPDX-License-Identifier: Apache-2.0
"""A picture from `POST /v1/images/generations`, from its answer to a stripped copy's manifest.

Over a live server, with the `assay` command in a process of its own.
"""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from assay import trust_root
from assay.signing.credentials import judge
from assay.signing.digests import as_id
from assay.trainers.pictures import files
from registry.outputs.pictures import chunks
from tests.needing import forbidden
from tests.reading import read
from tests.registry.outputs import world
from tests.registry.outputs.media.sending import anchor
from tests.registry.people import invite, secret_of
from tests.registry.pool.world import found
from tests.running import Authority, Live
from tests.signing.marking import key

from . import drawn

pytestmark = pytest.mark.django_db(transaction=True)
ASSAY = (sys.executable, "-m", "assay.signing.commands")
SECONDS = 120


def test_it_verifies_with_its_manifest_and_is_found_without(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    lab = found(invite())
    body = {
        "model": drawn.published(lab).full_name,
        "prompt": "A",
        "size": "512x512",
        "seed": 3,
    }
    secret = secret_of(lab.people.bob, "outputs")
    with live.client(secret) as bob, drawn.drawing_program(world.operator(), key()):
        (said,) = bob.post("/v1/images/generations", json=body).json()["data"]
    picture = base64.b64decode(said["b64_json"])
    report = read("image/png", picture, anchor=anchor(authority))
    assert report["validation_state"] == "Trusted"
    credited = judge(report, registry=settings.PUBLIC_URL)
    assert (str(credited.claim), credited.output) == ("server-generated", said["assay"]["id"])

    (tmp_path / "picture.png").write_bytes(picture)
    (tmp_path / "answer.json").write_text(json.dumps(said["assay"]), encoding="utf-8")
    with live.client() as anyone:
        root = anyone.get("/.well-known/assay/trust-root.json").content
    (tmp_path / "root.json").write_bytes(root)
    fingerprint = as_id(trust_root(tmp_path / "root.json").fingerprint)
    assert assay(tmp_path, "trust", "add", "root.json", "--fingerprint", fingerprint)[0] == 0
    words = ("verify", "picture.png", "--evidence", "answer.json")
    code, shown = assay(tmp_path, *words)
    assert code == 0, shown
    code, document = assay(tmp_path, *words, "--json")
    steps = {each["code"]: each["outcome"] for each in json.loads(document)["steps"]}
    assert (code, steps["output.credentials"]) == (0, "passed")

    stripped = files.written(files.read(io.BytesIO(picture)), "JPEG")
    with live.client() as anyone:
        asked = anyone.post(
            "/c2pa/matches/byContent", content=stripped, headers={"Content-Type": "image/jpeg"}
        )
        if asked.json().get("code") == "looking-unavailable":
            forbidden(asked.json()["detail"])
        (match,) = asked.json()["matches"]
        manifest = anyone.get(f"/c2pa/manifests/{match['manifestId']}")
    assert manifest.headers["Content-Type"] == "application/c2pa"
    assert manifest.content == chunks.store(picture)

    (tmp_path / "picture.png").write_bytes(stripped)
    code, shown = assay(tmp_path, *words)
    assert (code, "Verified." in shown) == (21, False)


def assay(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        (*ASSAY, *words),
        env={"ASSAY_CONFIG": str(folder / "config"), "PATH": os.environ["PATH"]},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    return done.returncode, done.stdout or done.stderr

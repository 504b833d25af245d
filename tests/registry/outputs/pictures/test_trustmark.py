# SPDX-License-Identifier: Apache-2.0
"""A picture with TrustMark's mark is found by it, and its manifest names it as C2PA's list does."""

from __future__ import annotations

import base64
import io
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from assay.signing import trustmark
from assay.signing.evidence import Part
from assay.signing.statements import Mark, OutputClaim, Statement
from assay.trainers.pictures import files
from assay.trainers.pictures.trustmark import Writer
from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.outputs import queries
from registry.outputs.errors import UnusableText
from registry.outputs.models import Output, State
from tests.needing import forbidden
from tests.reading import read
from tests.registry.outputs.media.sending import anchor
from tests.registry.people import client_of
from tests.registry.pool.world import Lab
from tests.running import Authority
from tests.signing.marking import key
from tests.trainers.pictures import networks

from . import drawn
from .test_resolving import BINDING, by_content, get, values

DETECT = "/api/v1/detect/picture"


@pytest.fixture
def writer(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Writer:
    """TrustMark's networks are the registry's, too."""
    digests = networks.made(tmp_path / "networks")
    monkeypatch.setattr(trustmark, "SHA256", digests)
    settings.TRUSTMARK = str(tmp_path / "networks")
    settings.CONVERTER = str(networks.looker(tmp_path / "python", digests))
    return Writer(tmp_path / "networks")


@pytest.fixture
def twice(lab: Lab, checkpoint: Checkpoint, operator: User, writer: Writer) -> Output:
    """A picture of Bob's with both marks."""
    drawn.ask(lab, checkpoint)
    return drawn.answer(operator, key(), writer)


def stretched(output: Output) -> bytes:
    """A copy in which nothing is left of our own mark."""
    pixels = files.read(io.BytesIO(bytes(output.picture.file)))
    return files.written(np.asarray(Image.fromarray(pixels).resize((720, 512))), "JPEG")


def test_its_statement_and_its_manifest_name_both_marks(
    twice: Output, authority: Authority
) -> None:
    assert twice.state == State.SIGNED
    bundle = queries.evidence(twice).bundles[Part.OUTPUT]
    claim = OutputClaim.parse(Statement.parse(bundle.envelope.payload))
    assert claim.mark == Mark(scheme="tile+trustmark-q/v1", key=key().id)
    report: Any = read("image/png", bytes(twice.picture.file), anchor=anchor(authority))
    assert report["validation_state"] == "Trusted"
    active = report["manifests"][report["active_manifest"]]
    named = {
        each["data"]["alg"]: each["data"]["blocks"][0]["value"]
        for each in active["assertions"]
        if each["label"].startswith("c2pa.soft-binding")
    }
    assert named == values(twice)
    payload = trustmark.payload(key(), twice.picture.number or 0)
    assert named["com.adobe.trustmark.Q"] == f"1*{payload:061b}"


def test_a_copy_without_our_own_mark_leads_to_it(twice: Output, lab: Lab) -> None:
    copy = stretched(twice)
    answer = client_of(None).generic("POST", DETECT, copy, content_type="image/jpeg")  # type: ignore[arg-type]  # bytes are as good
    said = answer.json()
    if said.get("code") == "looking-unavailable":
        forbidden(said["detail"])
    assert said["answer"] == "watermark"
    assert said["watermark"]["p_value"] == pytest.approx(2 * 2 / 2**31)
    assert said["watermark"]["scheme"] == "com.adobe.trustmark.Q"
    assert said["watermark"]["scale"] is None
    assert "whoever reads it there can put it into another one" in said["says"]
    assert [each["id"] for each in said["watermark"]["outputs"]] == [str(twice.pk)]
    for query in ("", "?alg=com.adobe.trustmark.Q"):
        (match,) = by_content(copy, query)["matches"]
        assert match["manifestId"] == f"urn:c2pa:{twice.pk}"


def test_its_value_leads_to_the_manifest(twice: Output) -> None:
    said = get("/c2pa/services/supportedAlgorithms")
    assert {"alg": "com.adobe.trustmark.Q"} in said["watermarks"]

    def asked(value: str, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        written = base64.b64encode(value.encode()).decode()
        return get(BINDING, status, alg="com.adobe.trustmark.Q", value=written)

    value = values(twice)["com.adobe.trustmark.Q"]
    assert asked(value) == {"matches": [{"manifestId": f"urn:c2pa:{twice.pk}"}]}
    others = f"1*{trustmark.payload(key(3), twice.picture.number or 0):061b}"
    assert asked(others) == asked("x" * len(value)) == {"matches": []}
    assert "expected 63 bytes, in base64" in asked("1*01", 400)["errors"][0]["message"]


def test_a_registry_without_the_networks_refuses_what_it_could_not_find(
    lab: Lab, checkpoint: Checkpoint, operator: User, writer: Writer, settings: Settings
) -> None:
    drawn.ask(lab, checkpoint)
    settings.TRUSTMARK = ""
    with pytest.raises(UnusableText, match="for pictures ASSAY_TRUSTMARK, name"):
        drawn.answer(operator, key(), writer)


def test_its_value_outlives_its_key(twice: Output, settings: Settings) -> None:
    before = values(twice)
    settings.WATERMARK_KEY_FILE, settings.TRUSTMARK = "", ""
    assert values(twice) == before
    written = base64.b64encode(before["com.adobe.trustmark.Q"].encode()).decode()
    (match,) = get(BINDING, alg="com.adobe.trustmark.Q", value=written)["matches"]
    assert match["manifestId"] == f"urn:c2pa:{twice.pk}"


def test_the_page_says_it_without_a_size(twice: Output) -> None:
    sent = SimpleUploadedFile("copy.jpg", stretched(twice), content_type="image/jpeg")
    page = Client().post("/detect", {"picture": sent})
    if page.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        forbidden(page.content.decode())
    said = page.content.decode()
    assert "It shows TrustMark&#x27;s watermark" in said
    assert "Size beside the marked one" not in said

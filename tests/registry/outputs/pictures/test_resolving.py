# SPDX-License-Identifier: Apache-2.0
"""C2PA's soft-binding resolution: a stripped file leads to its manifest, or to our evidence."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from rest_framework.test import APIClient

from assay.signing.evidence import Evidence, Part
from assay.trainers.pictures import files
from registry.catalog.models import Project
from registry.outputs.models import Output, Picture
from registry.outputs.pictures import bindings, chunks
from tests.needing import forbidden
from tests.trainers.pictures.scenes import saved, scene

BINDING, CONTENT = "/c2pa/matches/byBinding", "/c2pa/matches/byContent"


def get(url: str, status: int = 200, /, **query: str) -> Any:  # noqa: ANN401 - JSON
    answer = APIClient().get(url, query)
    assert answer.status_code == status, answer.content
    return answer.json()


def by_content(data: bytes, query: str = "", status: int = 200) -> Any:  # noqa: ANN401 - JSON
    answer = APIClient().generic("POST", f"{CONTENT}{query}", data, content_type="image/jpeg")  # type: ignore[arg-type]  # bytes are as good
    said = answer.json()
    if said.get("code") == "looking-unavailable":
        forbidden(said["detail"])
    assert answer.status_code == status, said
    return said


def values(output: Output) -> dict[str, str]:
    """By algorithm, as the manifest's assertions would name them."""
    assertions: list[Any] = list(bindings.of(output.picture))
    return {each["alg"]: each["blocks"][0]["value"] for each in assertions}


def test_the_algorithms_are_named(db: None) -> None:
    said = get("/c2pa/services/supportedAlgorithms")
    assert said == {
        "watermarks": [{"alg": "assay.tile.1"}, {"alg": "com.adobe.trustmark.Q"}],
        "fingerprints": [{"alg": "assay.cosine.1"}],
    }


def test_a_value_leads_to_the_manifest(signed: Output) -> None:
    manifest = f"urn:c2pa:{signed.pk}"
    value = values(signed)
    said = get(BINDING, alg="assay.tile.1", value=value["assay.tile.1"])
    assert said == {"matches": [{"manifestId": manifest}]}
    asked = {"alg": "assay.cosine.1", "value": value["assay.cosine.1"]}
    near = [{"manifestId": manifest, "similarityScore": 100}]
    assert get(BINDING, **asked) == {"matches": near}
    assert APIClient().post(BINDING, asked, format="json").json() == {"matches": near}
    other = base64.b64encode(bytes(4)).decode()
    assert get(BINDING, alg="assay.tile.1", value=other) == {"matches": []}


def test_a_stripped_file_leads_to_the_manifest(signed: Output) -> None:
    pixels = files.read(io.BytesIO(bytes(signed.picture.file)))
    stripped = files.written(saved(pixels, quality=70), "JPEG")
    manifest = f"urn:c2pa:{signed.pk}"
    for query in ("", "?alg=assay.tile.1", "?alg=assay.cosine.1", "?maxResults=1"):
        (match,) = by_content(stripped, query)["matches"]
        assert match["manifestId"] == manifest
    assert by_content(files.written(scene(77, 160), "JPEG")) == {"matches": []}


def test_the_manifest_is_the_one_that_the_signed_file_has(signed: Output) -> None:
    for accepted in ("*/*", "application/c2pa"):
        url = f"/c2pa/manifests/urn:c2pa:{signed.pk}"
        answer = APIClient().get(url, headers={"Accept": accepted})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/c2pa")
        assert answer.content[4:8] == b"jumb"
        assert answer.content in bytes(signed.picture.file)


def test_our_evidence_stands_where_there_is_no_manifest(signed: Output) -> None:
    """As of pictures that were signed before manifests were embedded in them."""
    Picture.objects.update(file=chunks.without_store(bytes(signed.picture.file)))
    said = get(f"/c2pa/manifests/urn:c2pa:{signed.pk}")
    assert Part.OUTPUT in Evidence.parse(said).bundles
    assert get(f"/c2pa/manifests/{signed.pk}") == said
    assert "prompt" not in str(said)
    asked = {"Accept": "application/c2pa"}
    answer = APIClient().get(f"/c2pa/manifests/{signed.pk}", headers=asked)
    assert (answer["Content-Type"], answer.json()) == ("application/json", said)


def test_what_is_not_everybodys_leads_nowhere(signed: Output) -> None:
    Project.objects.update(visibility="private")
    assert get(BINDING, alg="assay.tile.1", value=values(signed)["assay.tile.1"])["matches"] == []
    assert get(f"/c2pa/manifests/urn:c2pa:{signed.pk}", 404)["code"] == "not-found"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"alg": "com.example.other", "value": "AAAA"}, "alg"),
        ({"value": "AAAA"}, "alg"),
        ({"alg": "assay.tile.1"}, "value"),
        ({"alg": "assay.tile.1", "value": "?"}, "value"),
        ({"alg": "assay.tile.1", "value": "AAAA"}, "value"),
        ({"alg": "assay.tile.1", "value": "\u00e9\u00e9\u00e9\u00e9"}, "value"),
        ({"alg": "assay.tile.1", "value": "AAAAAA==", "maxResults": "none"}, "maxResults"),
        ({"alg": "assay.tile.1", "value": "AAAAAA==", "maxResults": "0"}, "maxResults"),
        ({"alg": "assay.tile.1", "value": "AAAAAA==", "maxResults": "9" * 4301}, "maxResults"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    db: None, query: dict[str, str], field: str
) -> None:
    said = get(BINDING, 400, **query)
    assert said["errors"][0]["field"] == field


def test_an_identifier_of_nothing_is_refused(signed: Output) -> None:
    assert get("/c2pa/manifests/urn:c2pa:nothing", 400)["errors"][0]["field"] == "manifestId"
    whole = f"/c2pa/manifests/{signed.pk}"
    said = get(whole, 400, returnActiveManifest="true")
    assert said["errors"][0]["field"] == "returnActiveManifest"

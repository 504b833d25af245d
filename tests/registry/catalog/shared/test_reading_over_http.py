# SPDX-License-Identifier: Apache-2.0
"""A published checkpoint over HTTP: lists, documents, evidence that verifies, and its blobs."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.test import Client

from assay.signing.evidence import Evidence
from assay.signing.manifest import SIGNATURE_NAME, SIGSTORE_NAME, Manifest
from assay.signing.verify import verify_checkpoint
from registry.catalog import queries
from registry.catalog.models import Checkpoint
from tests.registry.catalog.world import FILES, World
from tests.registry.verifying import demands
from tests.running import Authority


@pytest.fixture
def checkpoint(world: World, published_once: Checkpoint) -> Checkpoint:
    return published_once


def test_projects_are_listed(checkpoint: Checkpoint, client: Client) -> None:
    page = client.get("/api/v1/projects").json()
    assert set(page) == {"next", "previous", "sort", "count", "facets", "results"}
    assert page["results"] == [client.get("/api/v1/projects/lab/small").json()]
    assert page["results"][0]["project"] == "lab/small"
    assert page["results"][0]["conduct"]["id"] == "community-language-models"


def test_a_projects_checkpoints_are_listed(checkpoint: Checkpoint, client: Client) -> None:
    page = client.get("/api/v1/projects/lab/small/checkpoints").json()
    (found,) = page["results"]
    assert found["id"] == f"sha256:{checkpoint.manifest_sha256}"
    assert found["url"] == "http://localhost:8000/lab/small/step-000010"
    assert found["state"] == "published"
    assert isinstance(found["ledger_index"], int)


def test_one_is_found_by_name_and_by_id(checkpoint: Checkpoint, client: Client) -> None:
    by_name = client.get("/api/v1/projects/lab/small/checkpoints/step-000010").json()
    by_id = client.get(f"/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}").json()
    assert by_name == by_id
    assert by_id["losses"] == {"train": "2.5", "validation": "2.61"}
    assert by_id["signature"]["name"] == SIGNATURE_NAME
    assert by_id["sigstore"]["name"] == SIGSTORE_NAME
    assert by_id["sigstore"]["identity_provider"] == "http://localhost:8000"
    assert by_id["sigstore"]["url"].endswith("/step-000010/files/model.sigstore.json")
    names = [file["name"] for file in by_id["files"]]
    assert names == sorted([*FILES, "step.txt"])
    url = "http://localhost:8000/lab/small/step-000010/files/"
    assert by_id["files"][0]["url"].startswith(url)


def test_the_evidence_verifies(
    checkpoint: Checkpoint, client: Client, authority: Authority
) -> None:
    url = f"/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}"
    evidence = Evidence.parse(json.loads(client.get(f"{url}/evidence").content))
    manifest = client.get(f"{url}/manifest").content
    assert hashlib.sha256(manifest).hexdigest() == checkpoint.manifest_sha256
    files = Manifest.parse(json.loads(manifest))
    verify_checkpoint(evidence, trust=authority.trust_root, requirements=demands(), files=files)


def test_its_files_are_for_everybody(checkpoint: Checkpoint) -> None:
    beside = queries.signature(checkpoint), queries.sigstore(checkpoint)
    for file in [*queries.files(checkpoint), *beside]:
        assert file is not None
        assert queries.open_blobs([file.sha256]) == {file.sha256}
        found = queries.file_for("lab", "small", "step-000010", file.name)
        assert found == (file.sha256, file.size, file.name)


@pytest.mark.parametrize("path", ["nothing", "../config.json", "config.json/", "CONFIG.JSON", ""])
def test_no_other_path_is_a_file(checkpoint: Checkpoint, path: str) -> None:
    assert queries.file_for("lab", "small", "step-000010", path) is None
    assert queries.file_for("lab", "small", "other", "config.json") is None


def test_the_run_can_be_resumed_from_it(checkpoint: Checkpoint) -> None:
    assert checkpoint.run_id is not None
    assert queries.latest_of_run(checkpoint.run_id) == checkpoint
    assert not queries.is_underway(checkpoint.run_id)
    assert queries.published(checkpoint.manifest_sha256) == checkpoint
    assert queries.published_by_runs().get() == checkpoint
    assert queries.published("ab" * 32) is None
    assert queries.latest_of_run("another") is None


def test_the_list_page_shows_the_project(checkpoint: Checkpoint, client: Client) -> None:
    page = client.get("/projects").content.decode()
    assert "/lab/small" in page
    assert "step-000010" in page


def test_the_project_page_shows_its_checkpoints(checkpoint: Checkpoint, client: Client) -> None:
    page = client.get("/lab/small").content.decode()
    assert "/lab/small/step-000010" in page
    assert "/conduct/community-language-models/1.0" in page


def test_the_checkpoint_page_shows_all_of_it(checkpoint: Checkpoint, client: Client) -> None:
    page = client.get("/lab/small/step-000010").content.decode()
    assert checkpoint.manifest_sha256 in page
    assert "<h1>A small model</h1>" in page
    for name in [*FILES, SIGNATURE_NAME, "http://localhost:8000/lab", "2.61"]:
        assert name in page
    assert checkpoint.statement is not None
    assert f"/ledger/entries/{checkpoint.statement.entry.index}" in page


@pytest.mark.parametrize("path", ["/lab/nothing", "/nobody/small", "/lab/small/nothing"])
def test_there_is_no_page_for_what_there_is_not(
    checkpoint: Checkpoint, client: Client, path: str
) -> None:
    assert client.get(path).status_code == 404


def test_a_page_number_that_is_none_is_the_first(checkpoint: Checkpoint, client: Client) -> None:
    assert client.get("/projects?page=999").status_code == 200
    assert client.get("/lab/small?page=x").status_code == 200

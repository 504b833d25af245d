# SPDX-License-Identifier: Apache-2.0
"""New repositories, how files are to be sent, branches and tags: what is taken, and what is not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from registry.catalog.models import Project, Ref
from registry.conduct import services as conduct
from registry.storage import services as storage
from tests.registry.catalog.world import FILES, World, by_person, publish
from tests.registry.people import client_of, client_of_job

CREATE = "/api/repos/create"
REPO = "/api/models/lab/small"


@pytest.fixture
def alice(world: World) -> APIClient:
    return client_of(world.people.alice, "publish")


def test_a_repository_is_made_under_the_registrys_conduct(world: World, alice: APIClient) -> None:
    body = {"name": "new", "organization": "lab", "type": "model", "visibility": "public"}
    made = alice.post(CREATE, body)
    assert (made.status_code, made.json()["url"]) == (200, "http://testserver/lab/new")
    assert Project.objects.get(name="new").conduct == world.conduct
    again = alice.post(CREATE, body)
    assert (again.status_code, again.json()["url"]) == (409, "http://testserver/lab/new")


def test_ones_own_name_is_the_owner_where_none_is_said(world: World, alice: APIClient) -> None:
    refused = alice.post(CREATE, {"name": "own"})
    assert (refused.status_code, refused.headers["X-Error-Code"]) == (403, "GatedRepo")
    said = refused.headers["X-Error-Message"]
    assert f"expected alice to have accepted {world.conduct.title}, version 1.0" in said
    conduct.accept(world.conduct, world.people.alice.namespace, world.people.alice)
    assert alice.post(CREATE, {"name": "own"}).json()["name"] == "alice/own"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": 1}, 400),
        ({"name": "a", "type": "dataset"}, 400),
        ({"name": "a", "visibility": "hidden"}, 400),
        ({"name": "a", "visibility": 1}, 400),
        ({"name": "a", "organization": "charlie"}, 403),
        ({"name": "a", "organization": "nobody"}, 403),
        ({"name": "Upper", "organization": "lab"}, 422),
        ({"name": "a.git", "organization": "lab"}, 422),
        ({"name": "../a", "organization": "lab"}, 422),
    ],
)
def test_what_cannot_be_made_is_refused(
    alice: APIClient, body: Mapping[str, object], status: int
) -> None:
    count = Project.objects.count()
    assert alice.post(CREATE, body).status_code == status
    assert Project.objects.count() == count


def test_who_may_not_write_makes_nothing(world: World) -> None:
    body = {"name": "new", "organization": "lab"}
    assert client_of(None).post(CREATE, body).status_code == 401
    assert client_of(world.people.alice, "read").post(CREATE, body).status_code == 403
    assert client_of(world.people.charlie, "publish").post(CREATE, body).status_code == 403
    assert client_of(world.people.alice, "publish").get(CREATE).status_code == 405


def test_a_projects_token_writes_to_that_project_alone(world: World) -> None:
    client = client_of_job(world.people.alice, "lab/other")
    assert client.post(CREATE, {"name": "new", "organization": "lab"}).status_code == 403
    assert client.get(f"{REPO}/auth-check/write").status_code == 403
    assert client.get("/api/whoami-v2").json()["orgs"] == []


def test_each_file_is_told_how_it_is_sent_and_what_is_there(world: World, alice: APIClient) -> None:
    publish(by_person(world))
    sizes = {"README.md": 9, "model.safetensors": 9, "b.txt": 1 << 20, "c.txt": (1 << 20) + 1}
    sizes |= {"model.sig": 1}
    body = {"files": [{"path": p, "size": s, "sample": ""} for p, s in sizes.items()]}
    found = alice.post(f"{REPO}/preupload/main", body).json()["files"]
    modes = {each["path"]: each["uploadMode"] for each in found}
    assert modes["model.safetensors"] == modes["c.txt"] == "lfs"
    assert modes["README.md"] == modes["b.txt"] == "regular"
    ignored = {each["path"] for each in found if each["shouldIgnore"]}
    assert ignored == {"model.sig"}
    tree = {each["path"]: each for each in alice.get(f"{REPO}/tree/main").json()}
    oids = {each["path"]: each["oid"] for each in found}
    assert oids["README.md"] == tree["README.md"]["oid"]
    assert oids["model.safetensors"] == tree["model.safetensors"]["lfs"]["oid"]
    assert oids["b.txt"] is None


def test_files_that_are_none_are_refused(world: World, alice: APIClient) -> None:
    bodies: tuple[object, ...] = (
        {},
        {"files": {}},
        {"files": [{"path": "a"}]},
        {"files": [{"path": "a", "size": -1}]},
        {"files": [{"path": "a", "size": True}]},
        {"files": [{"path": "a", "size": 1}] * 1001},
        [],
    )
    for body in bodies:
        assert alice.post(f"{REPO}/preupload/main", body).status_code == 400
    larger = {"files": [{"path": "a.gguf", "size": 50_000_000_001}]}  # than clients fetch
    refused = alice.post(f"{REPO}/preupload/main", larger)
    assert (refused.status_code, refused.json()["code"]) == (413, "blob-too-large")
    assert "a.gguf: expected at most 50000000000 bytes" in refused.headers["X-Error-Message"]
    assert alice.post(f"{REPO}/preupload/dev", {"files": []}).status_code == 404
    assert client_of(None).post(f"{REPO}/preupload/main", {"files": []}).status_code == 401


def test_branches_and_tags_that_cannot_be_are_refused(world: World, alice: APIClient) -> None:
    assert alice.post(f"{REPO}/branch/dev").status_code == 404  # nothing to name yet
    publish(by_person(world, files=FILES))
    assert alice.post(f"{REPO}/branch/dev", {"startingPoint": "main"}).status_code == 200
    for path, body, status in (
        ("branch/dev", {}, 409),
        ("branch/main", {}, 409),
        ("branch/a..b", {}, 422),
        ("branch/x", {"startingPoint": "none"}, 404),
        ("branch/x", {"startingPoint": 1}, 400),
        ("tag/main", {}, 400),
        ("tag/main", {"tag": "dev"}, 409),
        ("tag/none", {"tag": "v1"}, 404),
    ):
        assert alice.post(f"{REPO}/{path}", body).status_code == status, path
    assert alice.delete(f"{REPO}/tag/dev").status_code == 404
    assert alice.delete(f"{REPO}/branch/main").status_code == 422
    assert (
        client_of(world.people.charlie, "publish").delete(f"{REPO}/branch/dev").status_code == 403
    )
    assert set(Ref.objects.values_list("name", flat=True)) == {"main", "dev"}


def test_what_there_is_no_room_for_is_refused_before_it_is_sent(
    world: World, alice: APIClient, settings: Settings
) -> None:
    """By its length; what was sent before costs nothing, and small files are in the commit."""
    settings.STORAGE_QUOTA = 10_000_000
    storage.store(bytes(6_000_000), holder="user:alice")
    sizes = {"again.bin": 6_000_000, "new.bin": 4_000_000, "small.txt": 1000}
    for more, status in ((0, 200), (1, 413)):
        files = [{"path": path, "size": size} for path, size in sizes.items()]
        files[1]["size"] = 4_000_000 + more
        answer = alice.post(f"{REPO}/preupload/main", {"files": files})
        assert answer.status_code == status
    said = "found 6000000 used and 4000001 more asked for"
    assert said in answer.headers["X-Error-Message"]

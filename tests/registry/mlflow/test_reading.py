# SPDX-License-Identifier: Apache-2.0
"""MLflow's questions over HTTP: filters, pages, folders, and refusals with their codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from registry.asgi import application
from registry.catalog import services
from registry.catalog.models import Checkpoint, Gate, Visibility
from registry.catalog.queries.revisions import Kind, find
from tests.keeping import kept
from tests.registry.callers import InMemory
from tests.registry.catalog.world import (
    FILES,
    World,
    accept,
    build,
    built,
    by_node,
    by_person,
    project,
    publish,
)
from tests.registry.people import invite, secret_of
from tests.running import Authority

HERE = "http://localhost"
API = "/api/2.0/mlflow"


world = kept(built)


@pytest.fixture
def published(world: World) -> Checkpoint:
    return publish(by_person(world, files={**FILES, "a/b/c.txt": b"c"}))


def asked(path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
    answer = Client().get(f"{API}/{path}", query)
    return {"status": answer.status_code, **answer.json()}


def listed(path: str) -> list[dict[str, object]]:
    found = Client().get("/api/2.0/mlflow-artifacts/artifacts", {"path": path}).json()["files"]
    assert isinstance(found, list)
    return found


def test_a_folder_lists_what_is_in_it(published: Checkpoint) -> None:
    top = {each["path"]: each["is_dir"] for each in listed("lab/small/main")}
    assert top == {**dict.fromkeys((*FILES, "model.sig", "model.sigstore.json"), False), "a": True}
    (folder,) = listed(f"lab/small/{published.oid}/a")
    assert folder == {"path": "b", "is_dir": True}
    (file,) = listed("lab/small/main/a/b/")
    assert file == {"path": "c.txt", "is_dir": False, "file_size": 1}
    assert listed("lab/small/main/a/b/c.txt") == []


def test_pages_follow_each_other(world: World) -> None:
    for name in ("one", "two"):
        project(world.lab, world.conduct, world.people.alice, name)
    first = asked("registered-models/search", max_results="2")
    assert [each["name"] for each in first["registered_models"]] == ["lab.two", "lab.one"]
    token = first["next_page_token"]
    second = asked("registered-models/search", max_results="2", page_token=token)
    assert [each["name"] for each in second["registered_models"]] == ["lab.small"]
    assert second["next_page_token"] == ""


def test_refs_are_aliases_where_their_names_can_be(world: World, published: Checkpoint) -> None:
    alice, at = world.people.alice, find(world.project, "main")
    for kind, name in ((Kind.TAG, "v1"), (Kind.TAG, "v1.0"), (Kind.BRANCH, "dev/x")):
        services.add_ref(world.project, kind, name, at, by=alice, actor=alice.actor)
    found = asked("registered-models/get", name="lab.small")["registered_model"]
    assert {each["alias"] for each in found["aliases"]} == {"main", "v1"}
    for alias in ("v1", "v1.0", published.oid, "HEAD"):
        answer = asked("registered-models/alias", name="lab.small", alias=alias)
        assert answer["model_version"]["version"] == str(published.pk)
        assert answer["model_version"]["source"].endswith(published.oid)


def test_a_filter_is_one_condition(world: World, published: Checkpoint) -> None:
    run = publish(by_node(world))
    for wanted, count in (
        ("", 2),
        ("name = 'lab.small'", 2),
        ('name="lab.small"', 2),
        (f"run_id = '{run.run_id}'", 1),
        ("name = 'lab.small' AND tag.`mlflow.prompt.is_prompt` != 'true'", 2),
    ):
        found = asked("model-versions/search", filter=wanted)
        assert len(found["model_versions"]) == count, wanted
    for wanted, count in (
        ("name LIKE 'lab%'", 1),
        ("name ILIKE '%SMALL%'", 1),
        ("name LIKE '%'", 0),
    ):
        found = asked("registered-models/search", filter=wanted)
        assert len(found["registered_models"]) == count, wanted


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("registered-models/get", {"name": "lab.none"}, 404),
        ("registered-models/get", {"name": "lab"}, 400),
        ("registered-models/get", {}, 400),
        ("registered-models/alias", {"name": "lab.small", "alias": "main"}, 404),
        ("registered-models/alias", {"name": "lab.small", "alias": "none"}, 404),
        ("model-versions/get", {"name": "lab.small", "version": "1"}, 404),
        ("model-versions/get", {"name": "lab.small", "version": "one"}, 400),
        ("model-versions/get", {"name": "lab.small", "version": "9" * 40}, 400),
        ("model-versions/get-download-uri", {"name": "lab.small", "version": "1"}, 404),
        ("model-versions/search", {"filter": "name LIKE 'a'"}, 400),
        ("registered-models/search", {"filter": "stage = 'a'"}, 400),
        ("registered-models/search", {"filter": "name = 'a' OR 1 = 1"}, 400),
        ("registered-models/search", {"page_token": "x"}, 400),
    ],
)
def test_what_cannot_be_answered_says_why(
    world: World, path: str, query: dict[str, str], status: int
) -> None:
    found = asked(path, **query)
    codes = {400: "INVALID_PARAMETER_VALUE", 404: "RESOURCE_DOES_NOT_EXIST"}
    assert (found["status"], found["error_code"]) == (status, codes[status])
    assert found["message"].startswith("expected ")


def test_a_private_project_is_as_if_it_were_not_there(world: World, published: Checkpoint) -> None:
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    assert asked("registered-models/get", name="lab.small")["status"] == 404
    assert asked("registered-models/search")["registered_models"] == []
    assert asked("model-versions/search")["model_versions"] == []
    found = Client().get("/api/2.0/mlflow-artifacts/artifacts", {"path": "lab/small/main"})
    assert found.status_code == 404


def test_who_sees_a_private_project_reads_it_with_a_token(
    world: World, published: Checkpoint
) -> None:
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    for person, status, count in ((world.people.bob, 200, 1), (world.people.charlie, 404, 0)):
        headers = {"Authorization": f"Bearer {secret_of(person, 'read')}"}
        client = Client(headers=headers)
        for path, query in (
            ("registered-models/get", {"name": "lab.small"}),
            ("registered-models/alias", {"name": "lab.small", "alias": "main"}),
            ("model-versions/get", {"name": "lab.small", "version": str(published.pk)}),
        ):
            assert client.get(f"{API}/{path}", query).status_code == status, path
        models = client.get(f"{API}/registered-models/search").json()["registered_models"]
        assert len(models) == count
        named = {"filter": "name LIKE 'small'"}
        models = client.get(f"{API}/registered-models/search", named).json()["registered_models"]
        assert len(models) == count
        found = client.get(f"{API}/model-versions/search").json()["model_versions"]
        assert len(found) == count
        files = {"path": "lab/small/main"}
        answer = client.get("/api/2.0/mlflow-artifacts/artifacts", files)
        assert answer.status_code == status


def test_a_gated_project_is_read_by_whom_its_owner_let_in(
    world: World, published: Checkpoint
) -> None:
    alice, charlie = world.people.alice, world.people.charlie
    gated = services.set_gate(world.project, Gate.ASKS, "Who are you?", by=alice)
    client = Client(headers={"Authorization": f"Bearer {secret_of(charlie, 'read')}"})
    named = (f"{API}/registered-models/get", {"name": "lab.small"})
    assert client.get(*named).json()["error_code"] == "PERMISSION_DENIED"
    accept(world, charlie)
    services.grant(gated, charlie, by=alice)
    assert client.get(*named).status_code == 200
    received = services.receive(by_person(world, "second", {**FILES, "new.txt": b"new"}))
    found = client.get(f"{API}/model-versions/search").json()["model_versions"]
    assert str(received.pk) not in [each["version"] for each in found]


def test_it_is_for_reading_and_a_wrong_token_is_told(world: World) -> None:
    path = f"{API}/registered-models/search"
    assert Client().post(path).json()["error_code"] == "ENDPOINT_NOT_FOUND"
    wrong = Client().get(path, headers={"Authorization": "Bearer assay_nothing"})
    assert (wrong.status_code, wrong.json()["error_code"]) == (401, "UNAUTHENTICATED")
    token = secret_of(world.people.charlie, "read")
    assert Client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_file_is_streamed_with_its_ranges(authority: Authority, tmp_path: Path) -> None:
    world = build(invite(), tmp_path / "texts")
    publish(by_person(world, files={**FILES, "a b/ä.txt": b"0123456789"}))
    start = "/api/2.0/mlflow-artifacts/artifacts/lab/small/main"
    with httpx.Client(transport=InMemory(application=application), base_url=HERE) as client:
        part = client.get(f"{start}/a%20b/%C3%A4.txt", headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, b"2345")
        assert client.get(f"{start}/none").status_code == 404
        assert client.get("/api/2.0/mlflow-artifacts/artifacts/lab").status_code == 404

# SPDX-License-Identifier: Apache-2.0
"""`/v2/` over HTTP: manifests, blobs, tags and referrers, and what is said of what is not there."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone

from registry.accounts.tokens import Binding, issue_token
from registry.asgi import application
from registry.catalog import services
from registry.catalog.models import Checkpoint, Gate, Visibility
from registry.catalog.queries import exporting
from registry.catalog.queries.revisions import Kind, find
from tests.registry.callers import InMemory
from tests.registry.catalog.world import (
    FILES,
    World,
    accept,
    build,
    by_node,
    by_person,
    project,
    publish,
)
from tests.registry.people import invite, secret_of
from tests.running import Authority

HERE = "http://localhost"
REALM = 'Bearer realm="http://localhost/v2/token",service="localhost:8000"'
pytestmark = pytest.mark.django_db(transaction=True)

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
CONDUCT = "application/vnd.assay.conduct.v1+json"
SMALL = "/v2/lab/small"
WEIGHTS = FILES["model.safetensors"]


@pytest.fixture
def world(transactional_db: None, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def published(world: World) -> Checkpoint:
    return publish(by_person(world))


@pytest.fixture
def anybody() -> httpx.Client:
    return caller("Bearer anonymous")


def caller(authorization: str | None = None) -> httpx.Client:
    headers = {"Authorization": authorization} if authorization else {}
    transport = InMemory(application=application)
    return httpx.Client(transport=transport, base_url=HERE, headers=headers)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest(client: httpx.Client, reference: str = "main") -> Any:  # noqa: ANN401 - JSON
    return client.get(f"{SMALL}/manifests/{reference}").json()


def refusal(answer: httpx.Response) -> tuple[int, str]:
    (error,) = answer.json()["errors"]
    is_gate = error["message"].startswith("lab/small is gated")
    assert is_gate or error["message"].startswith("expected ")
    return answer.status_code, error["code"]


def test_a_manifest_is_found_by_every_name_and_by_its_digest(
    world: World, published: Checkpoint, anybody: httpx.Client
) -> None:
    alice, at = world.people.alice, find(world.project, "main")
    services.add_ref(world.project, Kind.TAG, "v1.0", at, by=alice, actor=alice.actor)
    first = anybody.get(f"{SMALL}/manifests/latest")
    named = first.headers["Docker-Content-Digest"]
    assert named == digest(first.content)
    for name in ("main", "v1.0", published.oid, published.name, named):
        found = anybody.get(f"{SMALL}/manifests/{name}")
        assert (found.status_code, found.content) == (200, first.content), name
        assert found.headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json"
    head = anybody.head(f"{SMALL}/manifests/{named}")
    assert (head.headers["Docker-Content-Digest"], head.content) == (named, b"")
    assert head.headers["Content-Length"] == str(len(first.content))
    assert head.headers["Docker-Distribution-API-Version"] == "registry/2.0"


def test_every_blob_that_is_named_is_there(published: Checkpoint, anybody: httpx.Client) -> None:
    found = manifest(anybody)
    for each in (found["config"], *found["layers"]):
        blob = anybody.get(f"{SMALL}/blobs/{each['digest']}")
        assert (len(blob.content), digest(blob.content)) == (each["size"], each["digest"])
        assert blob.headers["Docker-Content-Digest"] == each["digest"]
    titles = {each["annotations"]["org.opencontainers.image.title"] for each in found["layers"]}
    assert titles == set(FILES)


def test_a_range_of_a_file_and_of_a_document(published: Checkpoint, anybody: httpx.Client) -> None:
    for named in (digest(WEIGHTS), manifest(anybody)["config"]["digest"]):
        whole = anybody.get(f"{SMALL}/blobs/{named}").content
        part = anybody.get(f"{SMALL}/blobs/{named}", headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, whole[2:6])
        assert part.headers["Content-Range"] == f"bytes 2-5/{len(whole)}"
        beyond = anybody.get(f"{SMALL}/blobs/{named}", headers={"Range": "bytes=999999-"})
        assert beyond.status_code == 416


def test_signature_and_rules_refer_to_the_manifest(
    published: Checkpoint, world: World, anybody: httpx.Client
) -> None:
    named = digest(anybody.get(f"{SMALL}/manifests/main").content)
    listed = anybody.get(f"{SMALL}/referrers/{named}")
    assert listed.headers["Content-Type"] == "application/vnd.oci.image.index.v1+json"
    assert len(listed.json()["manifests"]) == 4
    wanted = anybody.get(f"{SMALL}/referrers/{named}", params={"artifactType": BUNDLE})
    assert wanted.headers["OCI-Filters-Applied"] == "artifactType"
    (only,) = wanted.json()["manifests"]
    (layer,) = manifest(anybody, only["digest"])["layers"]
    bundle = anybody.get(f"{SMALL}/blobs/{layer['digest']}").content
    beside = caller().get("/lab/small/resolve/main/model.sigstore.json").content
    assert bundle == beside
    (rules,) = (each for each in listed.json()["manifests"] if each["artifactType"] == CONDUCT)
    (layer,) = manifest(anybody, rules["digest"])["layers"]
    assert layer["digest"] == f"sha256:{world.conduct.sha256}"
    policy = anybody.get(f"{SMALL}/blobs/{layer['digest']}")
    assert digest(policy.content) == layer["digest"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("application/spdx+json", "bom.spdx3.json"),
        ("application/vnd.cyclonedx+json", "bom.cdx.json"),
    ],
)
def test_a_bill_of_material_refers_to_the_manifest(
    published: Checkpoint, anybody: httpx.Client, kind: str, name: str
) -> None:
    named = digest(anybody.get(f"{SMALL}/manifests/main").content)
    listed = anybody.get(f"{SMALL}/referrers/{named}", params={"artifactType": kind}).json()
    (layer,) = manifest(anybody, listed["manifests"][0]["digest"])["layers"]
    assert layer["mediaType"] == kind
    assert layer["annotations"]["org.opencontainers.image.title"] == name
    found = anybody.get(f"{SMALL}/blobs/{layer['digest']}")
    assert (digest(found.content), found.headers["Content-Type"]) == (layer["digest"], kind)
    assert found.text == exporting.stated(published)[name]
    assert f"sha256:{published.manifest_sha256}" in found.text


def test_the_empty_config_of_referrers_is_there(
    published: Checkpoint, anybody: httpx.Client
) -> None:
    assert anybody.get(f"{SMALL}/blobs/{digest(b'{}')}").content == b"{}"


def test_nothing_refers_to_what_is_unknown(published: Checkpoint, anybody: httpx.Client) -> None:
    for named in (digest(b"unknown"), digest(WEIGHTS), manifest(anybody)["config"]["digest"]):
        found = anybody.get(f"{SMALL}/referrers/{named}")
        assert (found.status_code, found.json()["manifests"]) == (200, [])


def test_tags_are_paged_in_the_order_of_their_bytes(world: World, anybody: httpx.Client) -> None:
    old = publish(by_node(world))
    new = publish(by_person(world, name="zeta"))
    alice, at = world.people.alice, find(world.project, "main")
    for kind, name in ((Kind.BRANCH, "dev/x"), (Kind.BRANCH, "Big"), (Kind.TAG, "v1")):
        services.add_ref(world.project, kind, name, at, by=alice, actor=alice.actor)
    expected = sorted(["Big", "latest", "main", "v1", old.name, new.name])
    assert anybody.get(f"{SMALL}/tags/list").json() == {"name": "lab/small", "tags": expected}
    found, path = [], f"{SMALL}/tags/list?n=4"
    while path:
        answer = anybody.get(path)
        found.append(answer.json()["tags"])
        path = answer.headers.get("Link", "<>").split(">")[0][1:]
    assert [len(each) for each in found] == [4, 2]
    assert [tag for page in found for tag in page] == expected
    assert anybody.get(f"{SMALL}/tags/list?n=0").json()["tags"] == []
    padded = anybody.get(f"{SMALL}/tags/list?n=00000000004")
    assert padded.json() == anybody.get(f"{SMALL}/tags/list?n=4").json()
    assert "Link" in padded.headers


def test_what_is_not_there_is_said_in_the_specifications_words(
    world: World, published: Checkpoint, anybody: httpx.Client
) -> None:
    project(world.lab, world.conduct, world.people.alice, "empty")
    unknown = digest(b"unknown")
    for path, expected in (
        ("/v2/lab/none/manifests/main", (404, "NAME_UNKNOWN")),
        ("/v2/lab/none/tags/list", (404, "NAME_UNKNOWN")),
        ("/v2/lab", (404, "NAME_INVALID")),
        ("/v2/lab/small/tags/other", (404, "NAME_INVALID")),
        ("/v2/lab/empty/manifests/latest", (404, "MANIFEST_UNKNOWN")),
        (f"{SMALL}/manifests/none", (404, "MANIFEST_UNKNOWN")),
        (f"{SMALL}/manifests/-x", (404, "MANIFEST_UNKNOWN")),
        (f"{SMALL}/manifests/{unknown}", (404, "MANIFEST_UNKNOWN")),
        (f"{SMALL}/manifests/{digest(WEIGHTS)}", (404, "MANIFEST_UNKNOWN")),
        (f"{SMALL}/manifests/sha512:aa", (400, "DIGEST_INVALID")),
        (f"{SMALL}/blobs/{unknown}", (404, "BLOB_UNKNOWN")),
        (f"{SMALL}/blobs/{'a' * 64}", (400, "DIGEST_INVALID")),
        (f"{SMALL}/referrers/sha256:AA", (400, "DIGEST_INVALID")),
        (f"{SMALL}/tags/list?n=many", (400, "UNSUPPORTED")),
        (f"{SMALL}/tags/list?{'a=1&' * 20}", (400, "UNSUPPORTED")),
        (f"{SMALL}/tags/list?last=%00", (400, "UNSUPPORTED")),
    ):
        answer = anybody.get(path)
        assert refusal(answer) == expected, path
        assert anybody.head(path).content == b""


def test_another_projects_blob_is_not_this_ones(
    world: World, published: Checkpoint, anybody: httpx.Client
) -> None:
    project(world.lab, world.conduct, world.people.alice, "empty")
    for named in (digest(WEIGHTS), manifest(anybody)["config"]["digest"]):
        assert refusal(anybody.get(f"/v2/lab/empty/blobs/{named}")) == (404, "BLOB_UNKNOWN")


def test_it_is_for_pulling_and_a_wrong_token_is_told(
    world: World, published: Checkpoint, anybody: httpx.Client
) -> None:
    pushed = anybody.post(f"{SMALL}/blobs/uploads/")
    assert refusal(pushed) == (405, "UNSUPPORTED")
    assert pushed.headers["Allow"] == "GET, HEAD"
    assert anybody.get("/v2/").json() == {}
    wrong = anybody.get("/v2/", auth=("alice", "nothing"))
    assert refusal(wrong) == (401, "UNAUTHORIZED")
    assert wrong.headers["WWW-Authenticate"] == REALM
    assert anybody.get("/v2/token", auth=("alice", "nothing")).status_code == 401
    token = secret_of(world.people.charlie, "read")
    assert anybody.get(f"{SMALL}/manifests/main", auth=("charlie", token)).status_code == 200


def test_whoever_says_nothing_is_told_where_a_token_is_got(published: Checkpoint) -> None:
    client = caller()
    asked = client.get("/v2/")
    assert refusal(asked) == (401, "UNAUTHORIZED")
    assert asked.headers["WWW-Authenticate"] == REALM
    assert client.get(f"{SMALL}/manifests/main").status_code == 200
    given = client.get("/v2/token?service=localhost:8000&scope=repository:lab/small:pull").json()
    assert given["token"] == given["access_token"] == "anonymous"
    assert caller(f"Bearer {given['token']}").get("/v2/").json() == {}
    assert caller("Basic Og==").get("/v2/").json() == {}


@pytest.mark.parametrize("host", ["evil.example/@x", "a b", "", '"'])
def test_a_realm_is_at_no_address_that_is_none(host: str) -> None:
    asked = caller().get("/v2/", headers={"Host": host})
    public = REALM.replace("localhost/", "localhost:8000/")
    assert asked.headers["WWW-Authenticate"] == public


def test_a_private_project_is_pulled_by_those_who_see_it_and_is_not_there_for_others(
    world: World, published: Checkpoint
) -> None:
    people = world.people
    services.show(world.project, Visibility.PRIVATE, by=people.alice)
    named = f"{SMALL}/manifests/main"
    token = secret_of(people.bob, "read")
    given = caller().get("/v2/token", auth=("bob", token)).json()["token"]
    member = caller(f"Bearer {given}")
    found = member.get(named)
    assert found.status_code == 200
    pinned = found.headers["Docker-Content-Digest"]
    for path in (
        f"{SMALL}/manifests/{pinned}",
        f"{SMALL}/blobs/{digest(WEIGHTS)}",
        f"{SMALL}/blobs/{found.json()['config']['digest']}",
        f"{SMALL}/referrers/{pinned}",
        f"{SMALL}/tags/list",
    ):
        assert member.get(path).status_code == 200, path
        assert refusal(caller().get(path)) == (401, "UNAUTHORIZED"), path
        for stranger in ("Bearer anonymous", f"Bearer {secret_of(people.charlie, 'read')}"):
            assert refusal(caller(stranger).get(path)) == (404, "NAME_UNKNOWN"), path
    unread = f"Bearer {secret_of(people.bob, 'outputs')}"
    assert refusal(caller(unread).get(named)) == (404, "NAME_UNKNOWN")
    assert refusal(caller().get("/v2/lab/none/tags/list")) == (401, "UNAUTHORIZED")


def test_a_gated_project_is_pulled_by_whom_its_owner_let_in(
    world: World, published: Checkpoint
) -> None:
    alice, charlie = world.people.alice, world.people.charlie
    project = services.set_gate(world.project, Gate.ASKS, "Who are you?", by=alice)
    named, asks = f"{SMALL}/manifests/main", f"Bearer {secret_of(charlie, 'read')}"
    assert refusal(caller().get(named)) == (401, "UNAUTHORIZED")
    for who in ("Bearer anonymous", asks):
        answer = caller(who).get(named)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (403, "DENIED")
        assert "/lab/small/settings/ask" in error["message"]
    accept(world, charlie)
    services.grant(project, charlie, by=alice)
    assert caller(asks).get(named).status_code == 200
    assert caller(asks).get(f"{SMALL}/blobs/{digest(WEIGHTS)}").content == WEIGHTS


def test_a_projects_own_token_pulls_it_and_no_other(world: World, published: Checkpoint) -> None:
    alice, until = world.people.alice, timezone.now() + timedelta(hours=1)
    services.show(world.project, Visibility.PRIVATE, by=alice)
    binding = Binding(project="lab/small", holder="publisher:7")
    _, secret = issue_token(alice, "ci", ["publish"], until, binding=binding)
    assert caller(f"Bearer {secret}").get(f"{SMALL}/manifests/main").status_code == 200
    other = project(world.lab, world.conduct, alice, "other")
    services.show(other, Visibility.PRIVATE, by=alice)
    found = caller(f"Bearer {secret}").get("/v2/lab/other/tags/list")
    assert refusal(found) == (404, "NAME_UNKNOWN")


def test_v2_alone_is_ours_and_its_neighbours_are_not(anybody: httpx.Client) -> None:
    assert anybody.get("/v2").headers["Docker-Distribution-API-Version"] == "registry/2.0"
    assert "Docker-Distribution-API-Version" not in anybody.get("/v2x/lab").headers

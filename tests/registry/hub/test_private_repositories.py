# SPDX-License-Identifier: Apache-2.0
"""Private repositories over HTTP, below Django too: files, blobs, LFS, commits, settings, ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from registry.catalog import queries, services
from registry.catalog.models import Checkpoint, File, Visibility
from registry.catalog.queries import revisions
from registry.conduct import services as conduct
from tests.registry.catalog.world import FILES, World, build, by_person, publish
from tests.registry.hub.test_committing import HEADER, file, lines
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

pytestmark = pytest.mark.django_db(transaction=True)

CREATE, DELETE, MOVE = "/api/repos/create", "/api/repos/delete", "/api/repos/move"
SETTINGS = "/api/models/lab/small/settings"
COMMIT = "/api/models/lab/small/commit/main"
BATCH = "/lab/small.git/info/lfs/objects/batch"
NAMED = {"name": "small", "organization": "lab"}


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def hidden(world: World) -> Checkpoint:
    published = publish(by_person(world))
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    return published


def paths(hidden: Checkpoint) -> tuple[str, ...]:
    """Everything that streams, and sends bytes of it."""
    weights = File.objects.get(checkpoint=hidden, name="model.safetensors").sha256
    return (
        "/lab/small/resolve/main/model.safetensors",
        f"/lab/small/resolve/{hidden.oid}/model.safetensors",
        "/lab/small/raw/main/config.json",
        "/lab/small/first/files/model.safetensors",
        f"/api/v1/blobs/sha256:{weights}",
    )


def test_its_bytes_are_for_its_members(live: Live, world: World, hidden: Checkpoint) -> None:
    people = world.people
    for person, status in ((people.bob, 200), (people.charlie, 404), (None, None)):
        with live.client(secret_of(person, "read") if person else None) as client:
            for path in paths(hidden):
                is_hub = "/resolve/" in path or "/raw/" in path
                expected = status or (401 if is_hub else 404)
                assert client.get(path).status_code == client.head(path).status_code == expected
                ranged = client.get(path, headers={"Range": "bytes=0-0", "If-None-Match": "*"})
                assert ranged.status_code == (304 if status == 200 else expected)


def test_what_is_passed_on_between_strangers_is_of_public_projects(
    live: Live, world: World, hidden: Checkpoint
) -> None:
    """Metalinks and torrents: not even for members. OCI says who asks, and so has what they may."""
    resolve = "/lab/small/resolve/main/model.safetensors"
    tags = "/v2/lab/small/tags/list"
    with live.client(secret_of(world.people.bob, "read")) as bob:
        for path in (f"{resolve}?as=meta4", f"{resolve}?as=torrent"):
            assert bob.get(path).status_code == 404
        assert bob.get(tags).json()["tags"]
    with live.client(secret_of(world.people.charlie, "read")) as charlie:
        assert charlie.get(tags).status_code == 404


def test_a_token_for_something_else_opens_nothing_of_it(
    live: Live, world: World, hidden: Checkpoint
) -> None:
    with live.client(secret_of(world.people.alice, "outputs")) as client:
        assert {client.get(path).status_code for path in paths(hidden)} == {404}


def test_a_link_is_followed_in_a_browser_by_who_is_signed_in(
    live: Live, world: World, hidden: Checkpoint
) -> None:
    for person, status in ((world.people.bob, 200), (world.people.charlie, 404)):
        browser = Client()
        browser.force_login(person)
        cookies = "; ".join(f"{name}={each.value}" for name, each in browser.cookies.items())
        with live.client() as client:
            path = "/lab/small/first/files/config.json"
            assert client.get(path, headers={"Cookie": cookies}).status_code == status
    with live.client() as client:
        assert client.get(path, headers={"Cookie": cookies[:-1]}).status_code == 404


def test_large_files_are_offered_to_members_alone(
    live: Live, world: World, hidden: Checkpoint
) -> None:
    weights = File.objects.get(checkpoint=hidden, name="model.safetensors")
    wanted = {"operation": "download", "objects": [{"oid": weights.sha256, "size": weights.size}]}
    with live.client(secret_of(world.people.bob, "read")) as bob, live.client() as nobody:
        (found,) = bob.post(BATCH, json=wanted).json()["objects"]
        href = found["actions"]["download"]["href"].removeprefix(live.url)
        # As git-lfs does: what the answer gives along is all that it sends.
        assert nobody.get(href).content == FILES["model.safetensors"]
        assert nobody.get(f"{href}x").status_code == 403
        assert nobody.post(BATCH, json=wanted).status_code == 401
    with live.client(secret_of(world.people.charlie, "read", "publish")) as charlie:
        assert charlie.post(BATCH, json=wanted).status_code == 404
        assert charlie.post(COMMIT, content=lines(HEADER, file("a", b"a"))).status_code == 404


def test_a_stranger_must_send_what_is_here_in_private(
    live: Live, world: World, hidden: Checkpoint
) -> None:
    """Known by its digest alone: the same answer as for what is not here."""
    weights = File.objects.get(checkpoint=hidden, name="model.safetensors")
    sizes = [{"oid": weights.sha256, "size": weights.size}, {"oid": "ab" * 32, "size": 9}]
    open_project = services.create_project(
        services.NewProject(
            owner=world.people.charlie.namespace,
            name="own",
            title="",
            summary="",
            conduct=world.conduct,
        ),
        world.people.charlie,
    )
    conduct.accept(world.conduct, open_project.owner, world.people.charlie)
    batch = "/charlie/own.git/info/lfs/objects/batch"
    with live.client(secret_of(world.people.charlie, "publish")) as charlie:
        found = charlie.post(batch, json={"operation": "upload", "objects": sizes}).json()
        assert [set(each["actions"]) for each in found["objects"]] == [{"upload", "verify"}] * 2


def test_one_is_made_private_committed_to_shown_moved_and_ended(live: Live, world: World) -> None:
    with live.client(secret_of(world.people.alice, "read", "publish")) as alice:
        for said in ({"private": True}, {"visibility": "private"}):
            name = f"new-{len(said)}-{next(iter(said))}"
            body = {"name": name, "organization": "lab", **said}
            assert alice.post(CREATE, json=body).status_code == 200
            assert queries.project("lab", name, world.people.bob).visibility == "private"
        assert alice.put(SETTINGS, json={"private": True}).json()["private"] is True
        made = alice.post(COMMIT, content=lines(HEADER, file("a.txt", b"a")))
        assert made.status_code == 200
        again = alice.post(COMMIT, content=lines(HEADER, file("b.txt", b"b")))
        assert again.status_code == 200
        assert alice.get("/api/models/lab/small").json()["private"] is True
        assert alice.put(SETTINGS, json={"visibility": "hidden"}).status_code == 400
        assert alice.put(SETTINGS, json={"visibility": "public"}).json()["private"] is False
        names = {"fromRepo": "lab/small", "toRepo": "lab/large", "type": "model"}
        assert alice.post(MOVE, json={**names, "toRepo": "large"}).status_code == 400
        assert alice.post(MOVE, json={**names, "toRepo": "nobody/large"}).status_code == 403
        assert alice.post(MOVE, json=names).status_code == 200
        moved = alice.get("/lab/small/resolve/main/a.txt")
        assert (moved.content, moved.headers["X-Repo-Commit"]) == (b"a", again.json()["commitOid"])
        assert alice.get("/api/models/lab/small").json()["id"] == "lab/large"
        assert alice.get(DELETE).status_code == alice.delete(MOVE).status_code == 405
        large = {**NAMED, "name": "large"}
        assert alice.request("DELETE", DELETE, json={**large, "type": "space"}).status_code == 400
        assert alice.request("DELETE", DELETE, json=large).status_code == 200
        assert alice.request("DELETE", DELETE, json=large).status_code == 404
        taken = alice.post(CREATE, json=large)
        assert taken.status_code == 409


@pytest.mark.parametrize(
    "said", [{"private": "yes"}, {"private": 1}, {"visibility": "hidden"}, {}, {"private": None}]
)
def test_whoever_says_it_in_no_words_of_the_protocol_is_not_told_that_it_is_so(
    live: Live, world: World, said: dict[str, object]
) -> None:
    for person in (world.people.alice, world.people.charlie):
        with live.client(secret_of(person, "publish")) as client:
            assert client.put(SETTINGS, json=said).status_code == 400
    if any(said.values()):
        with live.client(secret_of(world.people.alice, "publish")) as alice:
            made = alice.post(CREATE, json={"name": "meant-to-be-private", **said})
        assert made.status_code == 400


def test_who_may_not_decide_is_told_so(live: Live, world: World) -> None:
    for person, status in ((world.people.bob, 403), (world.people.charlie, 403), (None, 401)):
        with live.client(secret_of(person, "publish") if person else None) as client:
            assert client.put(SETTINGS, json={"private": True}).status_code == status
            assert client.request("DELETE", DELETE, json=NAMED).status_code == status
    with live.client(secret_of(world.people.alice, "read")) as client:
        assert client.put(SETTINGS, json={"private": True}).status_code == 403
    assert revisions.find(world.project, "main").checkpoint is None

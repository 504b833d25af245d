# SPDX-License-Identifier: Apache-2.0
"""Gated repositories over HTTP: seen by everybody, and no way to a byte for who was not let in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from registry.accounts.models import User
from registry.catalog import services
from registry.catalog.models import Checkpoint, File, Gate
from registry.catalog.models.accesses import Access, AccessState
from registry.conduct import services as conduct
from tests.registry.catalog.world import FILES, World, accept, build, by_person, project, publish
from tests.registry.conduct.published import replacing
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

pytestmark = pytest.mark.django_db(transaction=True)

REPO = "/api/models/lab/small"
BATCH = "/lab/small.git/info/lfs/objects/batch"
ASK = "/lab/small/settings/ask"
WEIGHTS = FILES["model.safetensors"]


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def gated(world: World) -> Checkpoint:
    """Everybody sees it; its files are for whom Alice lets in."""
    published = publish(by_person(world))
    services.set_gate(world.project, Gate.ASKS, "Say who you are.", by=world.people.alice)
    return published


def let_in(world: World, person: User) -> None:
    accept(world, person)
    services.grant(world.project, person, by=world.people.alice)


def weights_of(gated: Checkpoint) -> File:
    return File.objects.get(checkpoint=gated, name="model.safetensors")


def ways(gated: Checkpoint) -> tuple[str, ...]:
    """Everything that streams bytes of it, or reads them aloud."""
    return (
        "/lab/small/resolve/main/model.safetensors",
        f"/lab/small/resolve/{gated.oid}/config.json",
        "/lab/small/raw/main/config.json",
        "/lab/small/raw/main/model.safetensors",
        "/lab/small/first/files/model.safetensors",
        f"/api/v1/blobs/sha256:{weights_of(gated).sha256}",
        f"{REPO}/safetensors-metadata/model.safetensors",
        "/api/2.0/mlflow-artifacts/artifacts/lab/small/main/config.json",
    )


def open_to_all(gated: Checkpoint) -> tuple[str, ...]:
    """What it is, and what was signed about it."""
    signature = File.objects.get(checkpoint=gated, name="model.sig")
    by_id = f"/api/v1/checkpoints/sha256:{gated.manifest_sha256}"
    return (
        "/lab/small",
        "/lab/small/first",
        "/lab/small/resolve/main/model.sig",
        "/lab/small/first/files/model.sigstore.json",
        f"/api/v1/blobs/sha256:{signature.sha256}",
        REPO,
        f"{REPO}/tree/main",
        f"{REPO}/commits/main",
        f"{by_id}/evidence",
        f"{by_id}/manifest",
        f"/api/v1/by-hash/{weights_of(gated).sha256}",
        gated.conduct.path,
    )


def refusals(client: httpx.Client, paths: tuple[str, ...]) -> Iterator[tuple[str, httpx.Response]]:
    """As it is asked for, a byte of it, and as if it were there already."""
    for path in paths:
        yield path, client.get(path)
        yield path, client.get(path, headers={"Range": "bytes=0-0"})
        yield path, client.get(path, headers={"If-None-Match": "*"})


def test_who_was_not_let_in_has_no_way_to_a_byte(
    live: Live, world: World, gated: Checkpoint
) -> None:
    for person in (world.people.charlie, None):
        with live.client(secret_of(person, "read") if person else None) as client:
            for path, answer in refusals(client, ways(gated)):
                assert answer.status_code == 403, path
                assert ASK in answer.json()["detail"], path
                assert answer.json()["code"] == "access-needed", path
                assert client.head(path).status_code == 403, path


def test_clients_of_the_hub_are_told_where_to_ask(live: Live, gated: Checkpoint) -> None:
    with live.client() as client:
        refused = client.head("/lab/small/resolve/main/model.safetensors")
    assert refused.headers["X-Error-Code"] == "GatedRepo"
    assert "lab/small is gated" in refused.headers["X-Error-Message"]
    assert ASK in refused.headers["X-Error-Message"]
    assert refused.headers["X-HF-Warning"].startswith("access-needed; lab/small is gated")
    assert "X-Linked-Etag" not in refused.headers


def test_what_it_is_and_what_was_signed_stays_everybodys(live: Live, gated: Checkpoint) -> None:
    with live.client() as client:
        assert {path: client.get(path).status_code for path in open_to_all(gated)} == dict.fromkeys(
            open_to_all(gated), 200
        )


def test_members_and_who_was_let_in_have_the_bytes(
    live: Live, world: World, gated: Checkpoint
) -> None:
    let_in(world, world.people.charlie)
    for person in (world.people.alice, world.people.bob, world.people.charlie):
        with live.client(secret_of(person, "read")) as client:
            assert [client.get(path).status_code for path in ways(gated)] == [200] * 8
            assert client.get(ways(gated)[0]).content == WEIGHTS


def test_a_token_that_reads_nothing_private_has_none_of_it(
    live: Live, world: World, gated: Checkpoint
) -> None:
    let_in(world, world.people.charlie)
    with live.client(secret_of(world.people.charlie, "outputs")) as client:
        assert {client.get(path).status_code for path in ways(gated)} == {403}


def test_what_was_given_is_taken_back_at_once(live: Live, world: World, gated: Checkpoint) -> None:
    """At an address that was lent to git-lfs before, too."""
    charlie = world.people.charlie
    let_in(world, charlie)
    file = weights_of(gated)
    wanted = {"operation": "download", "objects": [{"oid": file.sha256, "size": file.size}]}
    with live.client(secret_of(charlie, "read")) as client, live.client() as nobody:
        (found,) = client.post(BATCH, json=wanted).json()["objects"]
        lent = found["actions"]["download"]["href"].removeprefix(live.url)
        assert nobody.get(lent).content == WEIGHTS
        refused = AccessState.REFUSED
        services.decide(world.project, charlie, refused, by=world.people.alice, reason="Not now.")
        assert nobody.get(lent).status_code == 404
        assert client.get(ways(gated)[0]).status_code == 403
        answer = client.post(BATCH, json=wanted)
        assert (answer.status_code, "You were refused: Not now." in answer.text) == (403, True)


def test_what_serves_nobody_in_particular_serves_none_of_it(
    live: Live, world: World, gated: Checkpoint
) -> None:
    """Not even to who was let in: whoever has the document asks others for the bytes."""
    resolve = "/lab/small/resolve/main/model.safetensors"
    with live.client(secret_of(world.people.bob, "read")) as bob:
        for kind in ("meta4", "torrent"):
            assert bob.get(f"{resolve}?as={kind}").status_code == 403, kind


def test_programs_of_containers_and_mlflow_are_told_where_to_ask(
    live: Live, world: World, gated: Checkpoint
) -> None:
    paths = (
        "/v2/lab/small/tags/list",
        "/v2/lab/small/manifests/main",
        f"/v2/lab/small/blobs/sha256:{weights_of(gated).sha256}",
        "/api/2.0/mlflow/registered-models/get?name=lab.small",
    )
    charlie = world.people.charlie
    with live.client(secret_of(charlie, "read")) as client:
        for path in paths:
            assert client.get(path).status_code == 403, path
        said = client.get(paths[0]).json()["errors"][0]
        assert (said["code"], ASK in said["message"]) == ("DENIED", True)
        let_in(world, charlie)
        for path in paths:
            assert client.get(path, follow_redirects=True).status_code == 200, path


def test_its_digests_are_no_keys(live: Live, world: World, gated: Checkpoint) -> None:
    """A stranger who knows one has to send the bytes, for git-lfs and for a checkpoint."""
    charlie, file = world.people.charlie, weights_of(gated)
    conduct.accept(world.conduct, charlie.namespace, charlie)
    project(charlie.namespace, world.conduct, charlie, "own")
    wanted = {"operation": "upload", "objects": [{"oid": file.sha256, "size": file.size}]}
    manifest = {"name": "stolen", "manifest": gated.manifest}
    with live.client(secret_of(charlie, "publish")) as client:
        (found,) = client.post("/charlie/own.git/info/lfs/objects/batch", json=wanted).json()[
            "objects"
        ]
        assert set(found["actions"]) == {"upload", "verify"}
        refused = client.post("/api/v1/projects/charlie/own/checkpoints", json=manifest)
        assert (refused.status_code, refused.json()["code"]) == (422, "blob-missing")


def test_the_same_bytes_in_an_open_project_are_open(
    live: Live, world: World, gated: Checkpoint
) -> None:
    other = project(world.lab, world.conduct, world.people.alice, "other")
    publish(replace(by_person(world, "again"), project=other))
    with live.client() as nobody:
        assert nobody.get(f"/api/v1/blobs/sha256:{weights_of(gated).sha256}").content == WEIGHTS
        assert nobody.get("/lab/other/resolve/main/model.safetensors").content == WEIGHTS
        assert nobody.get("/lab/small/resolve/main/model.safetensors").status_code == 403


def test_owners_gate_by_the_hubs_settings_and_lists_say_it(live: Live, world: World) -> None:
    publish(by_person(world))
    with live.client(secret_of(world.people.alice, "read", "publish")) as alice:
        for said in ("manual", "auto", False):
            assert alice.put(f"{REPO}/settings", json={"gated": said}).json()["gated"] == said
            assert alice.get(REPO).json()["gated"] == said
            assert [each["gated"] for each in alice.get("/api/models").json()] == [said]
            found = {
                asked: alice.get(f"/api/models?gated={asked}").json() for asked in (True, False)
            }
            assert (bool(found[True]), bool(found[False])) == (bool(said), not said)
        assert alice.put(f"{REPO}/settings", json={"gated": "maybe"}).status_code == 400
        both = {"private": True, "gated": "manual"}
        assert alice.put(f"{REPO}/settings", json=both).json()["private"] is True
    with live.client(secret_of(world.people.bob, "publish")) as bob:
        assert bob.put(f"{REPO}/settings", json={"gated": "auto"}).status_code == 403


def test_owners_answer_requests_by_the_hubs_addresses(
    live: Live, world: World, gated: Checkpoint
) -> None:
    requests, charlie = f"{REPO}/user-access-request", world.people.charlie
    accept(world, charlie)
    services.ask(world.project, by=charlie, said="For my thesis.")
    number = str(Access.objects.get().pk)
    with live.client(secret_of(world.people.alice, "publish")) as alice:
        (pending,) = alice.get(f"{requests}/pending").json()
        assert (pending["user"]["user"], pending["requestId"]) == ("charlie", number)
        assert pending["fields"] == {"said": "For my thesis."}
        for said, status in (
            ({"user": "charlie", "status": "accepted"}, "accepted"),
            ({"requestId": number, "status": "rejected", "rejectionReason": "No."}, "rejected"),
            ({"user": "charlie", "status": "pending"}, "pending"),
        ):
            assert alice.post(f"{requests}/handle", json=said).status_code == 200
            found = {name: alice.get(f"{requests}/{name}").json() for name in ("accepted", status)}
            assert [each["status"] for each in found[status]] == [status]
        assert alice.post(f"{requests}/grant", json={"user": "charlie"}).status_code == 200
        assert alice.post(f"{requests}/grant", json={"user": "charlie"}).status_code == 409
        for body in ({"user": "nobody"}, {"requestId": "0"}, {"requestId": "x"}, {"user": "bob"}):
            answer = alice.post(f"{requests}/handle", json={**body, "status": "accepted"})
            assert answer.status_code == 404, body
        assert alice.post(f"{requests}/handle", json={"user": "bob"}).status_code == 400
        assert alice.post(f"{requests}/else", json={}).status_code == 404
        assert alice.get(f"{requests}/else").status_code == 404


def test_requests_are_for_owners_alone(live: Live, world: World, gated: Checkpoint) -> None:
    requests = f"{REPO}/user-access-request"
    answer = {"user": "charlie", "status": "accepted"}
    for person, status in ((world.people.bob, 403), (world.people.charlie, 403), (None, 401)):
        with live.client(secret_of(person, "publish") if person else None) as client:
            assert client.get(f"{requests}/pending").status_code == status
            assert client.post(f"{requests}/handle", json=answer).status_code == status
            assert client.post(f"{requests}/grant", json={"user": "charlie"}).status_code == status
    services.set_gate(world.project, Gate.OPEN, by=world.people.alice)
    with live.client(secret_of(world.people.alice, "publish")) as alice:
        assert alice.get(f"{requests}/pending").json()["code"] == "not-gated"


def test_reading_is_refused_before_it_is_tried(live: Live, world: World, gated: Checkpoint) -> None:
    for person, status in ((world.people.bob, 200), (world.people.charlie, 403)):
        with live.client(secret_of(person, "read")) as client:
            assert client.get(f"{REPO}/auth-check").status_code == status


def test_answers_warn_before_new_rules_bind(
    live: Live, world: World, gated: Checkpoint, tmp_path: Path
) -> None:
    """The Hub's clients print the header; files come until that day."""
    charlie = world.people.charlie
    let_in(world, charlie)
    with live.client(secret_of(charlie, "read")) as client:
        assert "X-HF-Warning" not in client.get(ways(gated)[0]).headers
        replacing(tmp_path, "2.0", severity="material")
        for path in ways(gated):
            answer = client.get(path)
            assert answer.status_code == 200
            if "/blobs/" in path:
                continue  # a digest is of no project, and under no rules
            topic, said = answer.headers["X-HF-Warning"].split("; ", 1)
            assert topic == "conduct"
            assert "/conduct/community-language-models/2.0 before " in said

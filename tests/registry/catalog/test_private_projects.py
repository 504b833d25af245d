# SPDX-License-Identifier: Apache-2.0
"""A private project is for its members: everybody else finds nothing of it, wherever they look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from registry.accounts import services as accounts
from registry.accounts.models import Role, User
from registry.catalog import queries, services
from registry.catalog.content.submission import Submission
from registry.catalog.models import Checkpoint, File, Visibility
from registry.ledger import queries as ledger
from tests.registry.catalog.world import FILES, World, by_person, project, publish
from tests.registry.people import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def hidden(world: World) -> Checkpoint:
    """Published in a project that was made private."""
    published = publish(by_person(world))
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    return Checkpoint.objects.get(pk=published.pk)


def statuses(viewer: User | None, hidden: Checkpoint) -> dict[str, int]:
    """How each address answers that could say something of it."""
    client = client_of(viewer, "read")
    assert hidden.statement is not None
    weights = File.objects.get(checkpoint=hidden, name="model.safetensors").sha256
    by_id = f"/api/v1/checkpoints/sha256:{hidden.manifest_sha256}"
    addresses = (
        "/lab/small",
        "/lab/small/first",
        "/lab/small/commit/main",
        "/lab/small/settings/publishers",
        "/api/v1/projects/lab/small",
        "/api/v1/projects/lab/small/checkpoints",
        "/api/v1/projects/lab/small/checkpoints/first",
        by_id,
        f"{by_id}/evidence",
        f"{by_id}/manifest",
        f"/api/v1/by-hash/{weights}",
        f"/api/v1/by-hash/{hidden.manifest_sha256}",
        f"/files?digest={weights}",
        f"/ledger/statements/{hidden.statement.sha256}/statement.json",
        "/api/models/lab/small",
        "/api/models/lab/small/tree/main",
        "/api/models/lab/small/refs",
        "/api/models/lab/small/commits/main",
    )
    return {each: client.get(each).status_code for each in addresses}


def test_a_stranger_finds_nothing_of_it(world: World, hidden: Checkpoint) -> None:
    for viewer, refused in ((world.people.charlie, 404), (None, 401)):
        found = statuses(viewer, hidden)
        hub = {path: status for path, status in found.items() if path.startswith("/api/models")}
        assert set(hub.values()) == {refused}
        others = {path: status for path, status in found.items() if path not in hub}
        assert others.pop("/lab/small/settings/publishers") == 302  # to sign in, as for any name
        assert set(others.values()) == {404}


def test_members_and_readers_see_all_of_it(world: World, hidden: Checkpoint) -> None:
    accounts.add_member(world.people.lab, world.people.charlie, Role.READER, by=world.people.alice)
    for viewer in (world.people.alice, world.people.bob, world.people.charlie):
        found = statuses(viewer, hidden)
        assert found.pop("/lab/small/commit/main") == 302
        assert found.pop("/lab/small/settings/publishers") == 302
        assert set(found.values()) == {200}


def test_what_there_is_not_is_answered_as_what_is_hidden(world: World, hidden: Checkpoint) -> None:
    """The same words, but for the name that was asked for, and in as many queries."""
    client = client_of(world.people.charlie, "read")
    for path in ("/api/v1/projects/lab/{}", "/api/models/lab/{}", "/api/models/lab/{}/refs"):
        seen, none = (client.get(path.format(name)) for name in ("small", "never"))
        assert seen.status_code == none.status_code
        assert seen.json()["detail"].replace("small", "never") == none.json()["detail"]


def test_no_list_and_no_count_has_it(world: World, hidden: Checkpoint) -> None:
    shown = project(world.lab, world.conduct, world.people.alice, "shown")
    for client in (client_of(None), client_of(world.people.charlie, "read")):
        listed = client.get("/api/v1/projects").json()["results"]
        assert [each["project"] for each in listed] == [shown.full_name]
        assert client.get("/api/v1/projects").json()["count"]["value"] == 1
        assert client.get("/api/v1/projects?q=small").json()["count"]["value"] == 1
        assert [each["id"] for each in client.get("/api/models").json()] == [shown.full_name]
        assert "lab/small" not in client.get("/projects").content.decode()
    own = client_of(world.people.bob, "read")
    assert [each["id"] for each in own.get("/api/models").json()] == ["lab/shown", "lab/small"]
    assert [each["private"] for each in own.get("/api/models").json()] == [False, True]
    browser = Client()
    browser.force_login(world.people.bob)
    assert "lab/small" in browser.get("/projects").content.decode()


def test_hidden_ones_crowd_nothing_out_by_digest(
    world: World, hidden: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newer private checkpoints with the same file take no place in what strangers are told."""
    monkeypatch.setattr("registry.catalog.queries.digests.MAX_LISTED", 1)
    first = project(world.lab, world.conduct, world.people.alice, "first")
    weights = File.objects.get(checkpoint=hidden, name="model.safetensors").sha256
    publish(replace(by_person(world, "public"), project=first))
    for number in range(2):
        files = {**FILES, "n.txt": b"%d" % number}
        publish(by_person(world, f"private-{number}", files))
    found = client_of(None).get(f"/api/v1/by-hash/{weights}").json()
    assert [each["checkpoint"]["project"] for each in found["checkpoints"]] == ["lab/first"]
    assert found["has_more"] is False


def test_a_digest_of_a_private_file_is_no_key(world: World, hidden: Checkpoint) -> None:
    """A stranger who knows one has nothing skipped, and publishes nothing by it."""
    file = File.objects.get(checkpoint=hidden, name="model.safetensors")
    assert queries.open_blobs({file.sha256}) == frozenset()
    assert queries.open_blobs({file.sha256}, world.people.charlie) == frozenset()
    assert queries.open_blobs({file.sha256}, world.people.bob) == {file.sha256}


def test_a_session_sees_what_its_person_may(world: World, hidden: Checkpoint) -> None:
    for person, status in ((world.people.bob, 200), (world.people.charlie, 404)):
        client = Client()
        client.force_login(person)
        assert client.get("/lab/small").status_code == status
        assert client.get("/lab/small/first").status_code == status


def test_who_leaves_the_organisation_sees_it_no_longer(world: World, hidden: Checkpoint) -> None:
    accounts.remove_member(world.people.lab, world.people.bob, by=world.people.alice)
    assert statuses(world.people.bob, hidden)["/api/models/lab/small"] == 404


def test_its_statements_are_in_the_ledger_and_open_for_nobody_else(
    world: World, hidden: Checkpoint
) -> None:
    """What the ledger says of it: that the lab signed something, when, and its digest."""
    assert hidden.statement is not None
    index = hidden.statement.entry.index
    assert index is not None
    page = client_of(None).get(f"/ledger/entries/{index}").content.decode()
    assert "lab/small" not in page
    assert hidden.manifest_sha256 not in page
    assert ledger.statement_at(index) == hidden.statement


def test_a_member_publishes_what_is_private_elsewhere_in_the_organisation(
    world: World, hidden: Checkpoint
) -> None:
    """Bob never sent the files; he may read them."""
    other = project(world.lab, world.conduct, world.people.alice, "other")
    manifest = queries.manifest(hidden)
    submission = Submission(
        user=world.people.bob, project=other, name="again", step=None, manifest=manifest
    )
    assert services.receive(submission).project == other

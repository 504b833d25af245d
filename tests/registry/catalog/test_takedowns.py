# SPDX-License-Identifier: Apache-2.0
"""What the registry takes down is given to nobody; its page says why, and what was signed stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from assay.signing.digests import as_id
from registry.accounts.models import User
from registry.audit.models import AuditRow
from registry.catalog import queries, services
from registry.catalog.errors import (
    AlreadyPublished,
    InvalidTakedown,
    MayNotGovern,
    MayNotPublish,
    NameTaken,
    TakenDown,
)
from registry.catalog.models import Checkpoint
from registry.catalog.models.found import Listing
from registry.catalog.models.told import Happening
from registry.catalog.queries import revisions, withheld
from registry.catalog.services import Commit, Remove, governing, takedowns
from registry.catalog.services.takedowns import Order
from tests.registry.catalog.test_commits import put
from tests.registry.catalog.weights import weights as file_of_tensors
from tests.registry.catalog.world import FILES, World, by_person, project, publish
from tests.registry.people import in_session

pytestmark = pytest.mark.django_db
MLFLOW = "/api/2.0/mlflow/registered-models/search"
REASON = "It holds what a court forbade."


@pytest.fixture
def down(world: World) -> Checkpoint:
    published = publish(by_person(world))
    call_command("takedown", "lab/small@first", reason=REASON, yes=True)
    published.refresh_from_db()
    return published


def weights(of: Checkpoint) -> str:
    return of.files.get(name="model.safetensors").sha256


def weights_of(name: str) -> bytes:
    return file_of_tensors({name: name.encode()})


def test_nobody_is_given_its_bytes(world: World, down: Checkpoint) -> None:
    alice = world.people.alice
    for viewer in (None, alice):
        assert weights(down) not in queries.open_blobs([weights(down)], viewer)
        with pytest.raises(TakenDown, match=f"lab/small@first was taken down: {REASON}"):
            queries.file_for("lab", "small", "first", "model.safetensors", viewer)
    for name in ("main", "first", down.oid):
        with pytest.raises(TakenDown):
            revisions.find(world.project, name)
    with pytest.raises(TakenDown, match="is of a checkpoint that was taken down"):
        withheld.check_blob(weights(down))


def test_its_page_says_why_and_offers_nothing(world: World, down: Checkpoint) -> None:
    page = Client().get("/lab/small/first")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Taken down by this registry on" in text
    assert REASON in text
    assert "/files/model.safetensors" not in text
    listed = Client().get("/lab/small").content.decode()
    assert "writes <em>code" not in listed
    assert "Taken down by this registry:" in listed
    assert f'<a href="/lab/small/first">first</a> ({down.taken_down_at:%Y-%m-%d})' in listed


def test_its_evidence_is_still_given(world: World, down: Checkpoint) -> None:
    api = APIClient()
    found = api.get(f"/api/v1/checkpoints/{as_id(down.manifest_sha256)}").json()
    assert (found["state"], found["reason"]) == ("taken-down", REASON)
    answer = api.get(f"/api/v1/checkpoints/{as_id(down.manifest_sha256)}/evidence")
    assert answer.status_code == 200
    assert queries.evidence(down).manifest.id == down.manifest_sha256


def test_the_same_bytes_are_published_nowhere(world: World, down: Checkpoint) -> None:
    with pytest.raises(AlreadyPublished):
        services.receive(by_person(world, "again"))
    with pytest.raises(TakenDown, match="expected files that were not taken down"):
        services.receive(by_person(world, "more", {**FILES, "new.txt": b"new"}))


def test_what_another_checkpoint_has_too_is_still_given(world: World) -> None:
    first = publish(by_person(world))
    second = publish(by_person(world, "second", {**FILES, "new.safetensors": weights_of("new")}))
    takedowns.take_down_checkpoint(second, Order(reason=REASON, by="system"))
    assert withheld.among([weights(first), weights(second)]) == frozenset()
    assert weights(first) in queries.open_blobs([weights(first)])
    own = second.files.get(name="new.safetensors").sha256
    assert withheld.among([own]) == {own}


def test_a_project_goes_whole_and_its_name_stays_given(world: World) -> None:
    published = publish(by_person(world))
    call_command("takedown", "lab/small", reason=REASON, yes=True)
    published.refresh_from_db()
    assert published.state == "taken-down"
    page = Client().get("/lab/small")
    assert (page.status_code, REASON in page.content.decode()) == (200, True)
    with pytest.raises(MayNotPublish, match="lab/small was taken down"):
        services.receive(by_person(world, "second", {"README.md": b"# New\n"}))
    with pytest.raises(NameTaken):
        project(world.lab, world.conduct, world.people.alice)
    assert APIClient().get("/api/v1/projects?q=small").json()["results"] == []
    assert Client().get("/api/models?search=small").json() == []
    listed = Client().get(MLFLOW)
    assert (listed.status_code, "small" in listed.content.decode()) == (200, False)


def test_what_was_on_its_way_arrives_taken_down(world: World) -> None:
    received = services.receive(by_person(world))
    takedowns.take_down_project(world.project, Order(reason=REASON, by="system"))
    assert services.advance(received.pk).state == "taken-down"
    kinds = set(Happening.objects.values_list("kind", flat=True))
    assert kinds == {"project.taken-down"}  # nothing of a revision that nobody can have
    assert Listing.objects.get(project=world.project).checkpoint is None


def test_it_is_written_down_and_told_with_the_change(world: World, down: Checkpoint) -> None:
    row = AuditRow.objects.get(action="checkpoint.take-down")
    assert (row.subject, row.details["reason"]) == ("lab/small@first", REASON)
    assert Happening.objects.filter(kind="checkpoint.taken-down").count() == 1


def test_only_once_and_only_with_a_reason(world: World, down: Checkpoint) -> None:
    with pytest.raises(InvalidTakedown, match="found one that is taken-down"):
        takedowns.take_down_checkpoint(down, Order(reason=REASON, by="system"))
    with pytest.raises(CommandError, match="reason: expected 1 to 1000 characters"):
        call_command("takedown", "lab/small", reason=" ", yes=True)
    with pytest.raises(CommandError, match="expected a project, found none called 'lab/none'"):
        call_command("takedown", "lab/none", reason=REASON, yes=True)


@pytest.mark.parametrize("path", ["takedown", "checkpoints/first/takedown"])
def test_the_api_is_for_those_who_run_the_registry(world: World, path: str) -> None:
    publish(by_person(world))
    address, body = f"/api/v1/projects/lab/small/{path}", {"reason": REASON}
    assert in_session(world.people.alice).post(address, body).status_code == 403
    assert Checkpoint.objects.get().state == "published"
    User.objects.filter(pk=world.people.bob.pk).update(is_staff=True)
    assert in_session(User.objects.get(username="bob")).post(address, body).status_code == 200
    assert Checkpoint.objects.get().state == "taken-down"


def test_what_ended_keeps_nothing_up(world: World) -> None:
    first = publish(by_person(world))
    other = project(world.lab, world.conduct, world.people.alice, name="other")
    publish(by_person(replace(world, project=other), "copy"))
    governing.end(other, by=world.people.alice)
    takedowns.take_down_checkpoint(first, Order(reason=REASON, by="system"))
    assert withheld.among([weights(first)]) == {weights(first)}


def test_what_was_on_its_way_with_the_same_files_arrives_taken_down(world: World) -> None:
    first = publish(by_person(world))
    received = services.receive(by_person(world, "more", {**FILES, "new.txt": b"new"}))
    takedowns.take_down_checkpoint(first, Order(reason=REASON, by="system"))
    Happening.objects.all().delete()
    arrived = services.advance(received.pk)
    assert not Happening.objects.exists()
    assert (arrived.state, arrived.reason) == ("taken-down", takedowns.FILES_OF_OTHERS)
    assert withheld.among([weights(first)]) == {weights(first)}


def test_its_owner_does_not_remove_what_is_left_of_it(world: World) -> None:
    publish(by_person(world))
    takedowns.take_down_project(world.project, Order(reason=REASON, by="system"))
    with pytest.raises(MayNotGovern, match="what is left of it stays"):
        governing.end(world.project, by=world.people.alice)


def test_a_branch_does_not_go_back_to_it(world: World) -> None:
    first = publish(by_person(world))
    alice = world.people.alice
    more = put("new.txt", b"new", alice.actor)
    commit = Commit(user=alice, project=world.project, title="More", changes=(more,))
    services.commit(commit)
    takedowns.take_down_checkpoint(first, Order(reason=REASON, by="system"))
    with pytest.raises(TakenDown):
        services.commit(replace(commit, changes=(Remove(name="new.txt"),)))

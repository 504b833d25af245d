# SPDX-License-Identifier: Apache-2.0
"""A project's history: each published checkpoint is a revision, found by ref, oid or name."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from registry.catalog import queries, services
from registry.catalog.errors import (
    AlreadyPublished,
    ContentRefused,
    InvalidName,
    NotFound,
    RevisionUnknown,
)
from registry.catalog.models import Ref, Revision
from registry.catalog.queries import revisions
from tests.registry.catalog.test_commits import put, wanted
from tests.registry.catalog.world import (
    FILES,
    World,
    by_node,
    by_person,
    changed,
    project,
    publish,
)
from tests.registry.people import client_of


def test_a_project_without_checkpoints_is_at_no_oid(world: World) -> None:
    found = revisions.find(world.project, "main")
    assert (found.checkpoint, found.oid) == (None, "0" * 40)
    assert revisions.history(found, limit=10) == []
    with pytest.raises(RevisionUnknown, match="expected a revision of lab/small, found none calle"):
        revisions.find(world.project, "dev")


def test_main_moves_with_each_published_checkpoint_and_not_before(world: World) -> None:
    first = publish(by_node(world, step=10))
    assert revisions.find(world.project, "main").checkpoint == first
    received = services.receive(by_person(world))
    assert revisions.find(world.project, "main").checkpoint == first
    services.advance(received.pk)
    assert revisions.find(world.project, "main").checkpoint == received


def test_a_snapshot_replaces_what_people_committed_which_stays_to_be_found(world: World) -> None:
    committed = services.commit(wanted(world, put("tokenizer.json", b"{}"))).checkpoint
    run = publish(by_node(world))
    at = revisions.find(world.project, "main")
    assert at.checkpoint == run
    assert {file.name for file in queries.files(run)} == {*FILES, "step.txt"}
    assert [each.checkpoint for each in revisions.history(at, limit=9)] == [run, committed]
    assert revisions.find(world.project, committed.oid).checkpoint == committed
    page = Client()
    page.force_login(world.people.bob)
    assert "replaces all files on main" in page.get("/lab/small").content.decode()
    assert "replaces all files" not in Client().get("/lab/small").content.decode()


def test_history_says_who_and_what_the_newest_first(world: World) -> None:
    run, person = publish(by_node(world)), publish(by_person(world))
    main = revisions.find(world.project, "main")
    listed = revisions.history(main, limit=10)
    assert [each.checkpoint for each in listed] == [person, run]
    assert [each.author for each in listed] == [world.people.alice, None]
    assert [each.title for each in listed] == ["first", "step-000010"]
    assert revisions.history(main, start=1, limit=10) == listed[1:]
    assert revisions.history(main, limit=1) == listed[:1]


def test_a_revision_is_found_by_head_oid_and_checkpoint_name(world: World) -> None:
    old, new = publish(by_node(world)), publish(by_person(world))
    assert revisions.find(world.project, "HEAD").checkpoint == new
    assert revisions.find(world.project, old.manifest_sha256[:40]).checkpoint == old
    assert revisions.find(world.project, "step-000010").checkpoint == old
    for unknown in ("0" * 40, "f" * 40, old.manifest_sha256[:39], old.manifest_sha256):
        with pytest.raises(RevisionUnknown):
            revisions.find(world.project, unknown)


def test_what_is_not_published_is_found_by_no_name(world: World) -> None:
    received = services.receive(by_person(world))
    for name in (received.oid, received.name):
        with pytest.raises(RevisionUnknown):
            revisions.find(world.project, name)


def test_no_checkpoint_may_be_named_as_anothers_oid(world: World) -> None:
    submission = by_person(world)
    own = submission.manifest.id[:40]
    with pytest.raises(InvalidName, match=f"expected no 40 hexadecimal digits but {own}"):
        services.check(changed(submission, name="a" * 40))
    services.check(changed(submission, name=own))


@pytest.mark.parametrize("name", ["resolve", "settings", "a.git"])
def test_a_name_is_none_of_the_registrys_addresses(world: World, name: str) -> None:
    with pytest.raises(InvalidName, match="expected a name that is no address"):
        services.check(by_person(world, name=name))


def test_two_projects_may_hold_the_same_files_and_one_may_not(world: World) -> None:
    other = project(world.lab, world.conduct, world.people.alice, "fork")
    first = publish(by_person(world))
    fork = publish(changed(by_person(world, name="second"), project=other))
    assert first.manifest_sha256 == fork.manifest_sha256
    assert queries.checkpoint(fork.manifest_sha256) == first
    assert queries.checkpoint(fork.manifest_sha256, within="lab/fork") == fork
    assert queries.published(fork.manifest_sha256) == first
    with pytest.raises(AlreadyPublished, match="lab/fork@second"):
        services.check(changed(by_person(world, name="third"), project=other))
    with pytest.raises(NotFound):
        queries.checkpoint(fork.manifest_sha256, within="lab/other")


def test_each_projects_evidence_is_its_own(world: World) -> None:
    other = project(world.lab, world.conduct, world.people.alice, "fork")
    publish(by_person(world))
    fork = publish(changed(by_person(world), project=other))
    by_id = f"/api/v1/checkpoints/sha256:{fork.manifest_sha256}"
    client = client_of(None)
    assert client.get(by_id).json()["project"] == "lab/small"
    assert client.get(f"{by_id}?project=lab/fork").json()["project"] == "lab/fork"
    whole = client.get(f"{by_id}/evidence").content
    assert client.get(f"{by_id}/evidence?project=lab/fork").content != whole
    assert client.get(f"{by_id}/evidence?project=lab/none").status_code == 404


def test_an_acknowledged_checkpoint_is_followed_where_it_is_and_not_in_a_fork(world: World) -> None:
    other = project(world.lab, world.conduct, world.people.alice, "fork")
    publish(by_person(world))
    submission = changed(by_person(world), project=other)
    answer = client_of(world.people.alice, "publish").post(
        "/api/v1/projects/lab/fork/checkpoints",
        {"name": "first", "manifest": submission.manifest.to_json()},
    )
    followed = client_of(world.people.alice, "publish").get(answer.json()["url"]).json()
    assert (followed["project"], followed["state"]) == ("lab/fork", "received")


def test_a_revision_is_written_once(world: World) -> None:
    publish(by_person(world))
    for change in ({"title": "another"}, {"branch": "dev"}, {"author": world.people.bob}):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            Revision.objects.update(**change)
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        Revision.objects.all()._raw_delete("default")


def test_a_ref_that_git_would_not_take_cannot_be_stored(world: World) -> None:
    publish(by_person(world))
    main = Ref.objects.get()
    for name in ("a..b", "/a", "a/", "a b", "-a", ".a", "a.", "", "a\n"):
        with pytest.raises(IntegrityError, match="catalog_ref_name_is_plain"), transaction.atomic():
            Ref.objects.create(
                project=main.project, kind="tag", name=name, revision_id=main.revision_id
            )


def test_files_of_the_revision_before_are_not_judged_again(world: World) -> None:
    base = publish(by_person(world))
    files = {**FILES, "more.txt": b"more"}
    submission = changed(by_person(world, name="next", files=files), base=base)
    services.check(submission)
    broken = {**files, "bad.safetensors": b"no weights"}
    with pytest.raises(ContentRefused, match=r"bad\.safetensors"):
        services.check(changed(by_person(world, name="next", files=broken), base=base))

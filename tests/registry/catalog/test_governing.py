# SPDX-License-Identifier: Apache-2.0
"""What an owner decides of a project: who sees it, its name, its end; and nobody else does."""

from __future__ import annotations

import pytest
from django.test import Client

from registry.accounts import services as accounts
from registry.accounts.models import Role
from registry.audit.models import AuditRow
from registry.catalog import queries, services
from registry.catalog.errors import MayNotGovern, MayNotPublish, NameTaken, NotFound
from registry.catalog.models import Project, Visibility
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.storage.errors import QuotaExceeded
from tests.registry.catalog.world import FILES, World, by_person, project, publish
from tests.registry.people import client_of

pytestmark = pytest.mark.django_db
PAGE = "/lab/small/settings/access"


def test_an_owner_decides_and_members_do_not(world: World) -> None:
    people = world.people
    for person in (people.bob, people.charlie):
        for decide in (
            lambda by: services.show(world.project, Visibility.PRIVATE, by=by),
            lambda by: services.end(world.project, by=by),
            lambda by: services.move(world.project, by.namespace, "mine", by=by),
        ):
            with pytest.raises(MayNotGovern, match="expected lab, or an owner of it, found"):
                decide(person)
    accounts.add_member(people.lab, people.bob, Role.OWNER, by=people.alice)
    assert services.show(world.project, Visibility.PRIVATE, by=people.bob).visibility == "private"
    shown = AuditRow.objects.get(action="project.show")
    assert (shown.actor, shown.details) == ("user:bob", {"visibility": "private"})


def test_a_reader_publishes_nothing(world: World) -> None:
    people = world.people
    accounts.add_member(people.lab, people.bob, Role.READER, by=people.alice)
    with pytest.raises(MayNotPublish):
        services.receive(by_person(world, user=people.bob))
    with pytest.raises(MayNotPublish):
        project(world.lab, world.conduct, people.bob, "another")


def test_what_ended_is_seen_by_nobody_and_its_name_is_never_given_again(world: World) -> None:
    people, published = world.people, publish(by_person(world))
    services.end(world.project, by=people.alice)
    for viewer in (None, people.alice):
        with pytest.raises(NotFound):
            queries.project("lab", "small", viewer)
        with pytest.raises(NotFound):
            queries.checkpoint(published.manifest_sha256, viewer)
    with pytest.raises(NameTaken, match="'small'"):
        project(world.lab, world.conduct, people.alice)
    with pytest.raises(MayNotPublish, match="found one that ended"):
        services.receive(by_person(world, "second", {**FILES, "new.txt": b"new"}))
    with pytest.raises(NotFound):
        services.end(world.project, by=people.alice)


def test_a_moved_project_is_found_by_both_names_and_neither_is_given_again(world: World) -> None:
    people, first = world.people, publish(by_person(world))
    moved = services.move(world.project, world.lab, "large", by=people.alice)
    assert queries.project("lab", "small") == queries.project("lab", "large") == moved
    assert [each.full_name for each in queries.projects()] == ["lab/large"]
    for name in ("small", "large"):
        with pytest.raises(NameTaken):
            project(world.lab, world.conduct, people.alice, name)
    again = services.move(moved, world.lab, "larger", by=people.alice)
    assert queries.project("lab", "small") == again
    with pytest.raises(NameTaken):
        services.move(again, world.lab, "small", by=people.alice)
    assert queries.checkpoint(first.manifest_sha256).full_name == "lab/larger@first"
    assert services.move(again, world.lab, "larger", by=people.alice) == again


def test_a_new_owner_is_the_callers_too_under_its_rules_and_has_room(world: World) -> None:
    people = world.people
    publish(by_person(world))
    with pytest.raises(MayNotGovern):
        services.move(world.project, people.bob.namespace, "small", by=people.alice)
    with pytest.raises(NotAccepted, match="expected alice to have accepted"):
        services.move(world.project, people.alice.namespace, "small", by=people.alice)
    conduct.accept(world.conduct, people.alice.namespace, people.alice)
    accounts.allow_storage(people.alice.namespace, 1)
    with pytest.raises(QuotaExceeded):
        services.move(world.project, people.alice.namespace, "small", by=people.alice)
    assert Project.objects.get(pk=world.project.pk).owner == world.lab
    accounts.allow_storage(people.alice.namespace, None)
    services.move(world.project, people.alice.namespace, "small", by=people.alice)
    assert queries.project("lab", "small").full_name == "alice/small"


def signed_in(world: World) -> Client:
    client = Client()
    client.force_login(world.people.alice)
    return client


def test_the_page_says_what_becomes_public_and_asks_for_the_name(world: World) -> None:
    publish(by_person(world))
    client = signed_in(world)
    assert client.post(PAGE, {"decision": "private"}).status_code == 302
    page = client.get(PAGE).content.decode()
    assert "1 checkpoint," in page
    assert "5 files." in page
    assert "making it private again takes nothing back" in page
    for typed in ("", "small"):
        refused = client.post(PAGE, {"decision": "public", "typed": typed})
        assert refused.status_code == 422
        assert "Type the name of the project to go on" in refused.content.decode()
    assert client_of(None).get("/lab/small").status_code == 404
    assert client.post(PAGE, {"decision": "public", "typed": "lab/small"}).status_code == 302
    assert client_of(None).get("/lab/small").status_code == 200


def test_the_page_ends_a_project_by_its_name_alone(world: World) -> None:
    client = signed_in(world)
    assert client.post(PAGE, {"decision": "end"}).status_code == 422
    assert client.post(PAGE, {"decision": "else"}).status_code == 422
    assert client.post(PAGE, {"decision": "end", "typed": "lab/small"})["Location"] == "/projects"
    assert client.get("/lab/small").status_code == 404
    assert client.get(PAGE).status_code == 404


def test_the_page_is_there_for_owners_alone(world: World) -> None:
    assert client_of(None).get(PAGE).status_code == 302
    for person in (world.people.bob, world.people.charlie):
        client = Client()
        client.force_login(person)
        assert client.get(PAGE).status_code == 404
    assert PAGE in signed_in(world).get("/lab/small").content.decode()
